"""Makes one shard, the unit of parallel work. Runners map `make_shard` over shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from depthmask.config.plugins import registry
from depthmask.data import Encoded
from depthmask.engine.job import Job, Progress
from depthmask.engine.read_back import require_readable
from depthmask.errors import DepthmaskError, ShardError, in_one_line
from depthmask.plan.layout import Shard
from depthmask.stage.calls import StageCalls, StageError
from depthmask.storage.publish import Draft, disk_error, full_disk_as_os_error
from depthmask.storage.record import Members, Record, as_byte_ranges, require_consistent
from depthmask.storage.records import Records


def make_shard(job: Job, shard: Shard, progress: Progress) -> Record:
    """Make, write and publish one shard; returns its record.

    Raises `DepthmaskError`; if a stage failed, the error names the stage, the sample and its
    assets.
    """
    progress.at(job.plan.indices(shard)[0])
    errors = _Errors(job, shard, progress)
    try:
        return _made(job, shard, progress, errors)
    except Exception as error:
        named = errors.named(error)
        if named is error:
            raise  # `from` itself would make a circle of causes.
        raise named from error.__cause__ or error


class _Errors:
    """Names the shard, the sample in work and its assets in errors."""

    def __init__(self, job: Job, shard: Shard, progress: Progress) -> None:
        self._job = job
        self._shard = shard
        self._progress = progress

    def named(self, error: Exception) -> DepthmaskError:
        """The error as one line for the user."""
        if isinstance(error, StageError):
            return self._of_sample(registry().message(error), final=error.final)
        if isinstance(error, DepthmaskError):
            return error
        if isinstance(error, OSError):
            return disk_error(error, self._job.output)
        return self._of_sample(in_one_line(error), final=False)

    def _of_sample(self, cause: str, *, final: bool) -> ShardError:
        sample = self._job.named(self._progress.begun)
        return ShardError(f"{self._shard.name}: {sample}: {cause}", cause=cause, final=final)


def _made(job: Job, shard: Shard, progress: Progress, errors: _Errors) -> Record:
    log = job.shard_log(progress)
    writer, samples = job.root.writer, _Samples(job.encoded(shard, log), errors)
    with Draft(job.output, shard.name) as draft:
        members = _write(job, shard, draft.folder, samples)
        log.lap("write")
        files = draft.publish()
        log.lap("publish")
    try:
        record = Record(
            shard=shard.name,
            split=shard.split,
            lineage=job.identity.lineage,
            start=shard.start,
            stop=shard.stop,
            files=files,
            members={name: as_byte_ranges(ranges) for name, ranges in members.items()},
            statistics=log.statistics.as_sums(),
            seconds=dict(log.lap.seconds),
            redraws=log.redraws.as_json(),
        )
        require_consistent(record)
    except (TypeError, ValueError) as error:
        raise StageCalls(writer, "write").fault(f"made no usable shard: {error}") from None
    if shard.start == 0:
        require_readable(writer, job.output / "shards", record, *samples.ends)
    Records(job.output).write(record)
    return record


def _write(job: Job, shard: Shard, folder: Path, samples: _Samples) -> Members:
    """Have the writer write all samples of a shard; returns the byte ranges of its members."""
    writer = job.root.writer
    calls = StageCalls(writer, "write")
    with calls, full_disk_as_os_error(folder, len(shard) * job.sample_bytes):
        members = writer.write(folder, shard.name, len(shard), iter(samples))
    samples.require_all(calls, len(shard))
    if not isinstance(members, Mapping):
        raise calls.returned(members, "a mapping from members to their byte ranges, or {}")
    _require_files(calls, folder, shard.name)
    return members


def _require_files(calls: StageCalls, folder: Path, shard: str) -> None:
    """Raise `StageError` unless a writer has made files with names of the shard."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    if not files:
        raise calls.fault("wrote no file; expected at least one")
    for file in files:
        if not str(file).startswith(shard):
            # A name that two shards have would be one file for both.
            raise calls.fault(f"wrote {str(file)!r}; expected a name that begins with {shard!r}")


class _Samples:
    """The samples of a shard for a writer, which must take them all and let their errors pass."""

    def __init__(self, samples: Iterable[Encoded], errors: _Errors) -> None:
        self._samples = samples
        self._errors = errors
        self._count = 0
        self._error: DepthmaskError | None = None
        self._first: Encoded | None = None
        self._last: Encoded | None = None

    def __iter__(self) -> Iterator[Encoded]:
        try:
            for sample in self._samples:
                self._count += 1
                self._last = sample
                if self._first is None:
                    self._first = sample
                yield sample
        except Exception as error:
            # Named here, since it passes through the writer, and is not the writer's.
            self._error = self._errors.named(error)
            if self._error is error:
                raise
            raise self._error from error.__cause__ or error

    @property
    def ends(self) -> tuple[Encoded, Encoded]:
        """The first sample and the last one that was taken."""
        assert self._first is not None, "a shard has samples"
        assert self._last is not None, "a shard has samples"
        return self._first, self._last

    def require_all(self, calls: StageCalls, count: int) -> None:
        """Raise the error that the writer has swallowed, or `StageError` for samples not taken."""
        if self._error is not None:
            raise self._error
        if self._count != count:
            raise calls.fault(f"took {self._count} samples of {count}; expected all")
