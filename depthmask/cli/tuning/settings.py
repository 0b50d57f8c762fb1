"""The speed of a run with other workers and other settings of `encode`."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from depthmask.cli.lines import show
from depthmask.codec.sample import DepthFormat, Encode, ImageFormat, MaskFormat
from depthmask.concurrency import cores, running
from depthmask.config.compose import compose_root
from depthmask.config.root import Root
from depthmask.data import DepthContract
from depthmask.engine.from_config import job_from_config
from depthmask.engine.generate import Generate
from depthmask.engine.job import ShardLog
from depthmask.engine.runner.orphans import end_with_parent
from depthmask.engine.summary import shares_of_time
from depthmask.errors import DepthmaskError, SettingError, UsageError

_SECONDS = 2.0
"""About how long one process makes samples in a measurement."""
_QUALITY = 90
"""The JPEG quality that is tried if a higher one is set."""
_QUICKER = 1.03
"""A smaller gain is noise."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one process measured. samples: how many it made. stations: the seconds of each."""

    samples: int
    stations: dict[str, float]

    @property
    def rate(self) -> float:
        """Samples a second."""
        return self.samples / sum(self.stations.values())


def tune_settings(overrides: Sequence[str], root: Root) -> int:
    """Measure a run as it is configured, and with other settings; print a table; returns 0."""
    # Raises here, and not in another process, if there is no such run.
    job = job_from_config(root)
    (first,) = _measured(overrides)
    show(f"time by station: {shares_of_time(first.stations)}")
    show(f"{'':<28}{'samples/s':>10}{'times':>8}")
    show(f"{'as configured, 1 process':<28}{first.rate:>10,.1f}")
    gains: dict[str, float] = {}
    for setting, processes in _candidates(root.encode, job.contract):
        words = [*overrides] if processes > 1 else [*overrides, setting]
        rate = sum(one.rate for one in _measured(words, processes, first.samples))
        gains[setting] = rate / first.rate
        show(f"{setting:<28}{rate:>10,.1f}{gains[setting]:>8.2f}")
    quicker = sorted((s for s in gains if gains[s] > _QUICKER), key=lambda s: -gains[s])
    show(f"quicker: {' '.join(quicker) or 'nothing of these'}")
    return 0


def _candidates(encode: Encode, contract: DepthContract | None) -> Iterator[tuple[str, int]]:
    """(a setting that may be quicker, the number of processes to measure it in)."""
    if cores() > 1:
        yield f"runner.workers={cores()}", cores()
    if encode.image is not ImageFormat.jpeg:
        yield "encode.image=jpeg", 1
    else:
        if encode.optimize:
            yield "encode.optimize=false", 1
        if encode.quality > _QUALITY:
            yield f"encode.quality={_QUALITY}", 1
        if encode.subsampling != "420":
            yield "encode.subsampling=420", 1
    if encode.mask is not MaskFormat.png:
        yield "encode.mask=png", 1
    for depth in _depth_formats(encode, contract):
        yield f"encode.depth={depth.name}", 1


def _depth_formats(encode: Encode, contract: DepthContract | None) -> Iterator[DepthFormat]:
    """The other formats that can hold such depth."""
    if contract is None or encode.depth is DepthFormat.none:
        return
    for depth in DepthFormat:
        if depth in (DepthFormat.none, encode.depth):
            continue
        try:
            replace(encode, depth=depth).check(contract)
        except SettingError:
            continue
        yield depth


def _measured(
    overrides: Sequence[str], processes: int = 1, samples: int | None = None
) -> list[Pass]:
    """What each of so many processes measures at the same time; raises `UsageError` of one.

    samples: how many samples each makes; None for as many as it makes in a while.
    """
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        connections: list[Connection] = []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_measure, args=(overrides, samples, theirs))
            # Ctrl-C reaches all processes; this one ends the others.
            stack.enter_context(running(process))
            theirs.close()
            connections.append(ours)
        return _passes(connections)


def _passes(connections: Sequence[Connection]) -> list[Pass]:
    """Let all begin when all are ready; returns what they measured."""
    try:
        for connection in connections:
            if (error := connection.recv()) is not None:
                raise UsageError(error)
        for connection in connections:
            connection.send(None)
        return [connection.recv() for connection in connections]
    except EOFError:
        raise UsageError("a process that measures died: out of memory?") from None


def _measure(overrides: Sequence[str], samples: int | None, connection: Connection) -> None:
    """Make samples twice, since the first time has to read the assets, and measure the second."""
    end_with_parent()
    try:
        job = job_from_config(compose_root(list(overrides)))
        samples = samples or _enough(job)
        _made(job, samples)
    except DepthmaskError as error:
        connection.send(str(error))
        return
    connection.send(None)
    connection.recv()
    connection.send(_made(job, samples))


def _enough(job: Generate) -> int:
    """How many samples take about as long as a measurement should."""
    samples = 8
    while samples < len(job.plan.shard(0)):
        rate = _made(job, samples).rate
        if samples >= rate * _SECONDS / 4:
            return min(int(rate * _SECONDS) + 1, len(job.plan.shard(0)))
        samples *= 4
    return len(job.plan.shard(0))


def _made(job: Generate, samples: int) -> Pass:
    """Make and encode the first samples, and throw them away."""
    shard = job.plan.shard(0)
    log = ShardLog()
    deque(job.encoded(replace(shard, stop=min(samples, len(shard))), log), maxlen=0)
    return Pass(min(samples, len(shard)), dict(log.lap.seconds))
