"""Says what a run would make, and measures some of its samples; nothing is kept of them."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from depthmask.data import Encoded
from depthmask.engine.display import Display
from depthmask.engine.generate import Generate
from depthmask.engine.job import Job, Progress
from depthmask.engine.run import continued, require_usable
from depthmask.errors import ShardError, in_one_line
from depthmask.plan.layout import Shard, Shards
from depthmask.stage.calls import StageCalls, StageError
from depthmask.storage.identity import FolderState, check_output
from depthmask.storage.records import Records

_SECONDS = 3.0
"""How long samples are made, once the stages are ready."""
_BATCH = 8
"""The samples that are made at a time, from several parts of the dataset."""
_MOST_BATCHES = 12
_GOLDEN = 0.618
"""Multiples of it, without their whole part, are never near each other."""
_PIXEL_BYTES = 7
"""The bytes of a pixel of a prepared background with depth."""


@dataclass(frozen=True)
class Measurement:
    """The mean over some samples. bytes: on disk. seconds: in one process.

    load_seconds: loading the assets of a sample, which the caches save later.
    """

    samples: int
    bytes: float
    seconds: float
    load_seconds: float


@dataclass(frozen=True)
class Forecast:
    """What a run would do.

    job: with the identity of a dataset that it would continue. state: of its folder. missing: the
    shards to make. measurement: None without one.
    """

    job: Job
    state: FolderState
    missing: Shards
    measurement: Measurement | None

    @property
    def bytes(self) -> float:
        """About the bytes that the missing samples take on disk."""
        of_one = self.measurement.bytes if self.measurement else self.job.sample_bytes
        return self.missing.samples * of_one

    @property
    def workers(self) -> int | None:
        """The shards that are made at a time; None if the runner does not say."""
        workers: int | None = self.job.root.runner.workers_for(self.job)
        return None if workers is None else max(1, min(workers, len(self.missing)))

    @property
    def seconds(self) -> float:
        """About the time of the run, without the start of workers and networks."""
        if self.measurement is None:
            return 0.0
        samples = self.missing.samples / (self.workers or 1)
        loads = min(samples, _assets(self.job)) if _fit_into_cache(self.job) else samples
        return samples * self.measurement.seconds + loads * self.measurement.load_seconds


def forecast(job: Job, display: Display, *, measure: bool = True) -> Forecast:
    """Check all that a run checks before it writes; raises as `run_job`.

    measure: make some samples, which are written to a temporary folder that is removed. Caches are
    written, except inside `caching.nothing_stored`.
    """
    require_usable(job)
    state = check_output(job.output, job.identity, overwrite=job.root.overwrite)
    complete = []
    if not state.is_new:
        job = continued(job, state)
        with display.waiting("checking the shards that are already made"):
            complete = [
                job.plan.shard(record.start // job.plan.shard_size, record.split)
                for record in Records(job.output).intact(job.plan, job.identity.lineage)
            ]
    missing = job.plan.shards(complete)
    if not measure or not missing:
        return Forecast(job, state, missing, None)
    with display.waiting("making some samples, to measure them"):
        return Forecast(job, state, missing, _measured(job, missing))


def _measured(job: Job, missing: Shards) -> Measurement:
    encoded: list[Encoded] = []
    load_seconds = seconds = 0.0
    counted = 0
    start = time.perf_counter()
    for number, part in enumerate(_parts(missing)):
        before = time.perf_counter()
        samples, loading = _made(job, part)
        encoded += samples
        # The first batch loads libraries and networks; it counts only if it is the only one.
        if number == 1:
            load_seconds = seconds = 0.0
            counted, start = 0, before
        counted += len(samples)
        load_seconds += loading
        seconds += max(time.perf_counter() - before - loading, 0.0)
        if number and time.perf_counter() - start > _SECONDS:
            break
    bytes_on_disk, writing = _written(job, part, encoded)
    return Measurement(
        samples=len(encoded),
        bytes=bytes_on_disk / len(encoded),
        seconds=seconds / counted + writing / len(encoded),
        load_seconds=load_seconds / counted,
    )


def _parts(missing: Shards) -> list[Shard]:
    """Parts of shards, evenly from all of them and in an order that has no drift."""
    count = -(-missing.samples // _BATCH)
    count = min(count, _MOST_BATCHES)
    spacing = missing.samples // count
    parts: list[Shard] = []
    offset = 0
    for shard in missing:
        while len(parts) < count and (first := len(parts) * spacing - offset) < len(shard):
            start = shard.start + first
            stop = min(start + min(_BATCH, spacing), shard.stop)
            parts.append(Shard(shard.number, shard.split, start, stop))
        offset += len(shard)
    return [parts[number] for number in sorted(range(count), key=lambda n: n * _GOLDEN % 1)]


def _made(job: Job, part: Shard) -> tuple[list[Encoded], float]:
    """The samples of a part, and the seconds of loading their assets or of checking the input."""
    progress = Progress()
    log = job.shard_log(progress)
    try:
        samples = list(job.encoded(part, log))
    except StageError as error:
        raise ShardError(f"{job.named(progress.begun)}: {in_one_line(error)}") from error
    return samples, sum(log.lap.seconds.get(station, 0.0) for station in ("source", "check"))


def _written(job: Job, part: Shard, encoded: list[Encoded]) -> tuple[int, float]:
    """The bytes of the files that hold the samples, and the seconds of writing them."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="depthmask-") as scratch:
        folder = Path(scratch)
        with StageCalls(job.root.writer, "write"):
            job.root.writer.write(folder, part.name, len(encoded), iter(encoded))
        seconds = time.perf_counter() - start
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()), seconds


def _assets(job: Job) -> float:
    """The samples after which the caches of a worker hold about all assets."""
    if not isinstance(job, Generate):
        return 1
    return max(len(job.plan.backgrounds), len(job.plan.foregrounds))


def _fit_into_cache(job: Job) -> bool:
    if not isinstance(job, Generate):
        return True
    height, width = job.root.canvas
    return (
        len(job.plan.backgrounds) * height * width * _PIXEL_BYTES
        <= job.root.runner.asset_bytes(job) // 2
    )
