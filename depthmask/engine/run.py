"""Runs a job: makes the missing shards, and the files about the whole dataset."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

from depthmask.config.local_stages import require_file
from depthmask.config.plugins import registry
from depthmask.config.resources import check_resources
from depthmask.config.root import Root
from depthmask.config.versions import stages_of
from depthmask.data import LeftOut
from depthmask.engine.derived import published_info, renewed
from depthmask.engine.display import Display, checking_assets
from depthmask.engine.displays.log import open_log
from depthmask.engine.environment import environment_difference, environment_of
from depthmask.engine.finish import finish, preview_shards
from depthmask.engine.from_config import job_from_config
from depthmask.engine.job import Job
from depthmask.engine.quarantine import check_contents, quarantine, without_contents
from depthmask.engine.restore import Restorer
from depthmask.engine.run_hooks import RunHooks
from depthmask.engine.run_lines import Tally, announce, log_beginning, show_assets
from depthmask.engine.self_test import require_same_samples
from depthmask.engine.totals import Totals
from depthmask.errors import DepthmaskError, UsageError, in_one_line
from depthmask.forks import refuse_worker_import
from depthmask.plan.layout import Shard, Shards
from depthmask.reading.dataset import Dataset
from depthmask.reports.units import size
from depthmask.stage.calls import StageCalls, StageError
from depthmask.statistics.redraws import Cause
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.derived import not_intact
from depthmask.storage.identity import (
    DatasetIdentity,
    FolderState,
    check_output,
    continued_identity,
    take_output,
)
from depthmask.storage.object_store import AccessError
from depthmask.storage.path import REPORT, StorePath
from depthmask.storage.publish import disk_error, full_disk_behind, write_sealed
from depthmask.storage.record import Record
from depthmask.storage.records import Records
from depthmask.storage.shell import command, path_word
from depthmask.timing import add_seconds
from depthmask.untrusted import untrusted

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """The result of a run.

    made: the number of samples that this run made. seconds: wall time. stations: seconds by
    station, summed over all workers. redraws: why samples drew other assets, most frequent first.
    """

    dataset: Dataset
    made: int
    seconds: float
    stations: dict[str, float]
    redraws: list[Cause] = field(default_factory=list)


def run(root: Root, display: Display, *, sweep: bool = False) -> Result:
    """Make, complete or extend the dataset that the config describes.

    sweep: `output` is a folder of datasets, one for each job. Raises `UsageError` before anything
    is written if the config, the assets or the output folder cannot be used.
    """
    with checking_assets(display):
        job = job_from_config(root, sweep=sweep)
    return run_job(job, display)


def run_job(job: Job, display: Display, restorer: Restorer | None = None) -> Result:
    """Make the shards and files that are missing in the output of a job; raises like `run`.

    restorer: makes the shards that were published before; None for the usual one.
    """
    start = time.perf_counter()
    require_usable(job)
    overwrite = job.root.overwrite
    state = check_output(job.output, job.identity, overwrite=overwrite)
    if state.is_new:
        _require_space(job, job.plan.samples)
    with (
        _one_line_for_failures(job.output),
        job.output.locked() as require_lock,
        closing(Totals(preview_shards(job.plan))) as totals,
    ):
        # Again: only now nobody else can take the folder. It is taken last, when nothing refuses.
        state = check_output(job.output, job.identity, overwrite=overwrite)
        made_here = continued(job, state)
        complete_shards = _complete_shards(made_here, state, totals, display)
        missing, restored = made_here.plan.shards(complete_shards), list[Shard]()
        if not state.is_new:
            _require_space(made_here, missing.samples)
            restored = _restored(
                made_here, missing, restorer or Restorer(display), totals, require_lock
            )
            complete_shards += restored
            missing = made_here.plan.shards(complete_shards)
        if missing:
            made_here = _tested(made_here, state, complete_shards, display)
        has_report = (job.output / REPORT).is_file()
        take_output(job.output, made_here.identity, overwrite=overwrite)
        with (job.output / "run.log").appended() as log, _begun():
            open_log(log)
            _say_beginning(made_here, state, display, has_report=has_report)
            job = _for_workers(made_here)
            left_out = made_here.catalogue.left_out
            made, stations = _complete(
                job, complete_shards, totals, left_out, display, require_lock
            )
    elapsed_s = time.perf_counter() - start
    made += sum(map(len, restored))
    return Result(Dataset(job.output), made, elapsed_s, stations, list(totals.redraws.causes()))


def _complete_shards(job: Job, state: FolderState, totals: Totals, display: Display) -> list[Shard]:
    """The shards that are already made; adds their records to the totals."""
    if state.is_new:
        return []
    with display.waiting("checking the shards that are already made"):
        return _intact_shards(job, totals)


def _restored(
    job: Job,
    missing: Shards,
    restorer: Restorer,
    totals: Totals,
    require_lock: Callable[[], None],
) -> list[Shard]:
    """Restore the shards that were published before, before anything else changes; returns them.

    Raises `DepthmaskError` if they cannot get the same bytes in this process.
    """
    shards = restorer.provable(job, missing) if missing else []
    if shards:
        with (job.output / "run.log").appended() as log, _begun():
            open_log(log)
            restorer.restore(_for_workers(job), shards, totals, require_lock)
    return shards


def _say_beginning(job: Job, state: FolderState, display: Display, *, has_report: bool) -> None:
    """Say what the run begins with, in the log and on the screen, and keep what it leaves out.

    has_report: whether the folder had a page about the dataset.
    """
    left_out = job.catalogue.left_out
    log_beginning(job, left_out)
    if state is FolderState.without_samples:
        display.line(
            f"{job.output}: held the plan of another dataset and no sample of it; it has given way"
        )
    if has_report and state is FolderState.fewer_samples:
        _log.warning(
            "%s was about the dataset before this run and is removed; after the run, "
            "`%s` makes it again", REPORT, command("report", path_word(job.output)),
        )  # fmt: skip
    quarantine(job.output, left_out)
    show_assets(job, display)


def require_usable(job: Job) -> None:
    """Raise `UsageError` if the run cannot begin: this process, a stage, the machine, an asset."""
    refuse_worker_import()
    for _, stage in [*stages_of(job.root), ("runner", job.root.runner)]:
        require_file(stage)
    check_resources([("writer", job.root.writer), ("runner", job.root.runner)])
    check_contents(job.catalogue.left_out, job.root.source.name)


def continued(job: Job, state: FolderState) -> Job:
    """The job with the identity and the size of shards that its output gets in this state."""
    with untrusted(str(job.output / "plan.json")):
        identity = continued_identity(job.output, job.identity, state)
        shard_size = identity.shard_size or job.plan.shard_size
    return replace(job, identity=identity, plan=job.plan.in_shards_of(shard_size))


def _tested(job: Job, state: FolderState, finished: Sequence[Shard], display: Display) -> Job:
    """The job with this environment in its plan; `UsageError` if it gives other bytes here.

    finished: the shards whose samples are compared, if any.
    """
    environment = environment_of(job.root)
    if state.is_new:
        return replace(job, identity=job.identity.made_in(environment))
    with untrusted(str(job.output / "plan.json")):
        earlier = job.identity.environments
    require_same_samples(job, finished, display, environment_difference(earlier[0], environment))
    return replace(job, identity=job.identity.made_in(environment, earlier))


def _for_workers(job: Job) -> Job:
    """The job without what only the beginning of the run needs: workers get it by pickle."""
    identity = DatasetIdentity(job.identity.description)
    return replace(job, identity=identity, catalogue=without_contents(job.catalogue))


@contextmanager
def _one_line_for_failures(output: StorePath) -> Iterator[None]:
    """Turn an unexpected error into one line for the user; its traceback goes to the log."""
    try:
        yield
    except StageError as error:
        if isinstance(error.__cause__, Exception) and (full := full_disk_behind(error.__cause__)):
            raise disk_error(full, output) from error
        _log.info("failed", exc_info=True)
        log = output / "run.log"
        raise DepthmaskError(f"{registry().message(error)}; see {log}") from error
    except DepthmaskError:
        raise
    except OSError as error:
        raise disk_error(full_disk_behind(error) or error, output) from error
    except Exception as error:
        if full := full_disk_behind(error):
            raise disk_error(full, output) from error
        _log.info("failed", exc_info=True)
        raise DepthmaskError(f"{in_one_line(error)}; see {output / 'run.log'}") from error


@contextmanager
def _begun() -> Iterator[None]:
    """Have a store that allows no more fail the run: bad usage would mean that nothing is there."""
    try:
        yield
    except AccessError as error:
        raise DepthmaskError(str(error)) from error


def _intact_shards(job: Job, totals: Totals) -> list[Shard]:
    """The shards whose records and files are intact; adds their records to the totals."""
    complete_shards = []
    for record in Records(job.output).intact(job.plan, job.identity.lineage):
        totals.add(record)
        complete_shards.append(job.plan.shard(record.start // job.plan.shard_size, record.split))
    return complete_shards


def _complete(
    job: Job,
    complete_shards: list[Shard],
    totals: Totals,
    left_out: Sequence[LeftOut],
    display: Display,
    require_lock: Callable[[], None],
) -> tuple[int, dict[str, float]]:
    """Make the missing shards and the files about the dataset, and call the hooks of plugins.

    Returns the number of samples made, and the seconds by station.
    """
    missing = job.plan.shards(complete_shards)
    stations: dict[str, float] = {}
    hooks = RunHooks(job)
    published = info = None if missing else _info_of_these(job, totals)
    if missing or info is None or _lacks_files(job, info):
        if info is None:
            (job.output / "dataset.json").unlink(missing_ok=True)
        announce(job, missing.samples, display)
        tally = Tally(job.plan.samples - missing.samples)
        with hooks.around(), _one_line_for_failures(job.output), tally.report_loss(display):
            add_seconds(stations, job.before_shards(display, missing))
            for record in _made(job, missing, totals, display, tally):
                require_lock()
                if record.shard not in totals:
                    totals.add(record)
                    hooks.shard_published(record)
                add_seconds(stations, record.seconds)
                _log.info("%s: samples %d..%d", record.shard, record.start, record.stop - 1)
            with display.waiting("writing the files about the dataset"):
                if info is None:
                    info = finish(job, totals, left_out)
                else:
                    info = renewed(job, totals, info, left_out)
            require_lock()
            hooks.expect_finished()
            # A run that is killed here may leave a temporary file beside a complete dataset.
            if info != published:
                write_sealed(job.output / "dataset.json", info.as_json())
    hooks.finished()
    return missing.samples, stations


def _info_of_these(job: Job, totals: Totals) -> DatasetInfo | None:
    """The content of `dataset.json`; None unless it is intact and from the present records."""
    info = published_info(job)
    if info is None:
        return None
    manifest = totals.manifest_sha256(job.plan.numbering.names)
    return info if info.manifest_sha256 == manifest else None


def _lacks_files(job: Job, info: DatasetInfo) -> bool:
    """Whether a derived file is damaged or missing; datasets of earlier versions list none."""
    return info.derived is not None and bool(not_intact(job.output, info.derived))


def _require_space(job: Job, samples: int) -> None:
    """Raise `UsageError` if the disk has no space for this number of samples."""
    overwrite = job.root.overwrite
    expected, free = samples * job.sample_bytes, job.output.free_bytes(emptied=overwrite)
    if free is not None and expected > free:
        emptied = " without the dataset there" if overwrite else ""
        raise UsageError(
            f"output={job.output}: {samples:,} samples take about {size(expected)}, "
            f"the disk has {size(free)} free{emptied}"
        )


def _made(
    job: Job, missing: Shards, totals: Totals, display: Display, tally: Tally
) -> Iterator[Record]:
    """Make the missing shards; yields their records, of some perhaps twice.

    Those that the runner has published without yielding their records are read at the end.
    """
    with display.bar("samples", missing.samples, "samples") as advance:

        def made(samples: int) -> None:
            tally.made += samples
            advance(samples)

        calls = StageCalls(job.root.runner, "run")
        with calls:
            for record in job.root.runner.run(job, missing, made):
                if not isinstance(record, Record):
                    raise calls.returned(record, "the record of a shard")
                tally.published += record.stop - record.start
                yield record
    if len(totals) < job.plan.shard_count():
        records = Records(job.output)
        for shard in job.plan.shards():
            if shard.name not in totals:
                yield records.require(shard.name)
