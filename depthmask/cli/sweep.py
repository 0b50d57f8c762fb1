"""`depthmask -m ...`: make a dataset for each combination of settings, and a table of all.

The output folder of a sweep holds the datasets, `sweep.csv`, `sweep.html`, and `jobs/` with a JSON
file for each job, the results of all sweeps into the folder, and the files of launchers and
sweepers. Reading a dataset does not use them.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import logging
import multiprocessing
import os
import platform
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf

from depthmask.cli import dry_run, lines
from depthmask.cli.hydra_run import (
    as_depthmask_error,
    hydra_main,
    warn_of_disabled_plugins,
)
from depthmask.cli.lines import say, show_path
from depthmask.cli.screen import Screen
from depthmask.config.build import from_config, to_plain
from depthmask.config.command_from_plan import settings_of
from depthmask.config.command_line import CommandLine
from depthmask.config.explain.error import explain
from depthmask.config.hydra_internals import BASIC_LAUNCHER, compose_sweep, planned_jobs
from depthmask.config.presets.tree import add_position, line_of_task
from depthmask.config.root import ProgressStyle, Root
from depthmask.engine.from_config import job_from_config
from depthmask.engine.run import run_job
from depthmask.errors import DepthmaskError, UsageError
from depthmask.reports.sweep.best import MINIMIZE, BestTrial, best_trials
from depthmask.reports.sweep.earlier import read_results, with_earlier, write_results
from depthmask.reports.sweep.figures import with_figures, with_values
from depthmask.reports.sweep.page import page
from depthmask.reports.sweep.result import (
    JobResult,
    Status,
    collect,
    result_files,
    write_result,
)
from depthmask.reports.sweep.table import Table
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import LOCK, StorePath

OPTUNA = "optuna"
JOBS, TABLE, PAGE = "jobs", "sweep.csv", "sweep.html"
_MARKER = "sweep.json"
"""The file in `jobs/` that marks a folder as that of a sweep."""
_ESCAPES = {"'": "\\'", "${": "\\${", "": ""}


def main(arguments: Sequence[str]) -> int:
    """Run the sweep; returns 1 if a job failed. The table is written even if the sweep fails."""
    warn_of_disabled_plugins()
    start = time.perf_counter()
    config = _shared_config(arguments)
    directions = _directions(config)
    folder = _folder(config)
    if dry_run.is_used():
        # Imported here, since a sweep does not need it.
        from depthmask.cli import sweep_forecast

        return sweep_forecast.show(config, folder, arguments)
    _refuse_other_content(folder)
    with folder.locked(), _open_job_folder(folder, arguments) as job_folder, planned_jobs() as jobs:
        earlier = read_results(folder / JOBS)
        _clear(job_folder, folder / JOBS, earlier)
        try:
            _launch(arguments, job_folder)
        except Exception as error:
            raise _reason(error, arguments, collect(job_folder, jobs)) from error
        finally:
            results = collect(job_folder, jobs)
            if results:
                rows = with_earlier(results, earlier, folder, _targets(config))
                write_results(folder / JOBS, rows)
                own = Table.of(rows[: len(results)])
                best = best_trials(own.results, directions, own.varied)
                table = Table.of(rows, _targets(config))
                _show(folder, table, best, arguments, time.perf_counter() - start)
    if len(results) == 1 and not directions:
        text = "-m made one dataset, since no setting has several values, as in seed=0,1"
        say(text, "note", prefix="note: ")
    return 0 if all(result.status.is_good for result in results) else DepthmaskError.exit_code


def job(config: DictConfig) -> float | tuple[float, ...] | None:
    """Run one job of the sweep; Hydra calls this in this process or in one of a launcher.

    Returns the value of `target`, or of each of several; None if the job failed, which Optuna
    counts as a failed trial. Raises `UsageError` for a target that does not exist if Optuna
    searches, since no other trial would have it.
    """
    hydra = HydraConfig.get()
    # The output of concurrent jobs would be mixed, so only jobs in sequence show theirs.
    in_sequence = hydra.launcher._target_ == BASIC_LAUNCHER
    screen = Screen(config.progress if in_sequence else ProgressStyle.none)
    if not in_sequence:
        # Joblib changes the default start method to its own, which the runner's processes cannot
        # use.
        multiprocessing.set_start_method("spawn", force=True)
    screen.line(f"job {hydra.job.num}  {' '.join(hydra.overrides.task)}", "job")
    job_folder = Path(hydra.sweep.dir)
    try:
        result = _run(config, screen, job_folder)
    finally:
        screen.close()
    targets = _targets(config)
    result, no_target = _optimised(result, targets)
    write_result(job_folder, result)
    overrides = "" if in_sequence else f"  {' '.join(result.overrides)}"
    lines.use(config.progress.name)
    text = f"job {result.number}{overrides}  {_outcome(result)}"
    say(text, "job-done", status=result.status.name, output=result.dataset)
    if no_target and hydra.runtime.choices["hydra/sweeper"] == OPTUNA:
        raise no_target
    values = tuple(result.values.values())
    return values[0] if len(values) == 1 else values or None


def _run(config: DictConfig, screen: Screen, job_folder: Path) -> JobResult:
    hydra = HydraConfig.get()
    result = JobResult(
        number=int(hydra.job.num),
        overrides=tuple(one for one in hydra.overrides.task if not one.startswith("progress=")),
        status=Status.unfinished,
        where=f"{platform.node()}:{os.getpid()}",
    )
    try:
        root = from_config(config, line_of_task().overrides)
        result = replace(result, settings=_settings(root))
        job = job_from_config(root, sweep=True)
        result = replace(result, dataset=str(job.output))
        # If the job is killed, its row still names the dataset.
        write_result(job_folder, result)
        ended = run_job(job, screen)
        status = Status.made if ended.made else Status.complete
        return with_figures(replace(result, status=status, made=ended.made, seconds=ended.seconds))
    except Exception as error:
        add_position(error, line_of_task())
        # A row of the table has one line.
        reason = " ".join(str(as_depthmask_error(error)).split())
    result = replace(result, status=Status.failed, reason=reason)
    try:
        return with_figures(result)  # A hook may fail when the dataset is complete.
    except DepthmaskError:
        return result


def _settings(root: Root) -> dict[str, str]:
    """The settings of a job, without how it is shown."""
    return settings_of({name: one for name, one in to_plain(root).items() if name != "progress"})


def _optimised(result: JobResult, targets: Sequence[str]) -> tuple[JobResult, UsageError | None]:
    """The result with the values of the targets, or failed with the error if it has none."""
    try:
        return with_values(result, targets), None
    except UsageError as error:
        return replace(result, status=Status.failed, reason=str(error)), error


def _outcome(result: JobResult) -> str:
    if result.status is Status.failed:
        return f"failed: {result.reason}"
    if not result.made:
        return f"{result.samples:,} samples; nothing left to do"
    return f"{result.made:,} samples made in {result.seconds:.1f} s, {result.samples_per_s:,.0f}/s"


def _reason(
    error: Exception, arguments: Sequence[str], results: Sequence[JobResult]
) -> DepthmaskError:
    """The error of a sweep that has ended early.

    If jobs have results, the launcher or the sweeper failed; otherwise the command line is wrong.
    """
    if not results:
        return explain(error, arguments)
    known = isinstance(error, DepthmaskError)
    if not known and all(result.status is Status.failed for result in results):
        return DepthmaskError(f"all {len(results)} jobs failed; the first: {results[0].reason}")
    return as_depthmask_error(error)


def _shared_config(arguments: Sequence[str]) -> DictConfig:
    """The config that all jobs share, with the swept settings at their defaults."""
    try:
        config = compose_sweep(CommandLine.parse(arguments))
        # Read here, so that an interpolation that cannot be resolved becomes a line, too.
        _ = config.output, config.target
        return config
    except Exception as error:
        raise explain(error, arguments) from error


def _targets(config: DictConfig) -> tuple[str, ...]:
    """The numbers that the sweep optimises; `Root` checks them for each job."""
    targets = config.target if isinstance(config.target, Sequence | ListConfig) else []
    return (targets,) if isinstance(targets, str) else tuple(map(str, targets))


def _directions(config: DictConfig) -> dict[str, str]:
    """Target -> `minimize` or `maximize`, if Optuna searches; `UsageError` if they do not fit."""
    if config.hydra.runtime.choices["hydra/sweeper"] != OPTUNA:
        return {}
    _silence_optuna()
    targets, chosen = _targets(config), config.hydra.sweeper.direction
    if not targets:
        raise UsageError(
            "hydra/sweeper=optuna needs a number in dataset.json to optimise; give target=NAME, "
            "such as target=statistics.mask.mean"
        )
    several = isinstance(chosen, ListConfig)
    directions = [getattr(one, "name", str(one)) for one in (chosen if several else [chosen])]
    if len(directions) != len(targets):
        raise UsageError(
            f"target names {len(targets)} numbers, and hydra.sweeper.direction has "
            f"{len(directions)}; give one for each, as in target=[{','.join(targets)}] "
            f"hydra.sweeper.direction=[{','.join([MINIMIZE] * len(targets))}]"
        )
    return dict(zip(targets, directions, strict=True))


def _silence_optuna() -> None:
    """Silence the lines of Optuna and its sweeper, which the lines of the jobs and the table have.

    Optuna sets the level of its logger when it is imported, which Hydra would do later.
    """
    importlib.import_module("optuna").logging.set_verbosity(logging.CRITICAL)
    logging.getLogger("hydra_plugins.hydra_optuna_sweeper").setLevel(logging.CRITICAL)


def _folder(config: DictConfig) -> StorePath:
    """The output folder of the sweep.

    Without `output=` it is named by a hash of the overrides, so that the same command resumes the
    same sweep.
    """
    if config.output is not None:
        return location(config.output)
    # Iterated, the list would resolve the interpolations in its words.
    all_words: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    words = [word for word in all_words if not word.startswith("progress=")]
    overrides = [OmegaConf.create(words), config.hydra.sweeper]
    text = "".join(OmegaConf.to_yaml(part, sort_keys=True) for part in overrides)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return location("outputs") / f"sweep-{digest[:8]}"


def _refuse_other_content(folder: StorePath) -> None:
    """Raise `UsageError` if the folder holds anything but a sweep and its datasets."""
    if (folder / "plan.json").exists():
        raise UsageError(
            f"output={folder} is a dataset, but a sweep needs a folder for several; "
            "choose another output"
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"output={folder} is a file; choose a folder")
    if folder.is_dir() and not (folder / JOBS / _MARKER).is_file():
        for path in folder.iterdir():
            if path.name not in (LOCK, TABLE, PAGE) and not (path / "plan.json").is_file():
                raise UsageError(
                    f"output={folder} is not empty and holds no sweep; choose another output"
                )


@contextmanager
def _open_job_folder(folder: StorePath, arguments: Sequence[str]) -> Iterator[Path]:
    """Yield a local folder for the results of the jobs.

    A new folder is removed if the sweep writes no table, so that a mistyped command leaves nothing.
    """
    marker = json.dumps({"arguments": list(arguments)}).encode() + b"\n"
    if isinstance(folder, LocalPath):
        with _local_job_folder(folder, marker) as job_folder:
            yield job_folder
        return
    with tempfile.TemporaryDirectory(prefix="depthmask-jobs-") as scratch:
        yield Path(scratch)
    (folder / JOBS / _MARKER).write_whole(marker)


@contextmanager
def _local_job_folder(folder: LocalPath, marker: bytes) -> Iterator[Path]:
    job_folder = folder / JOBS
    is_new = not job_folder.exists()
    job_folder.mkdir(exist_ok=True)
    (job_folder / _MARKER).write_whole(marker)
    try:
        yield job_folder
    finally:
        if is_new and not (folder / TABLE).exists():
            shutil.rmtree(job_folder)
            (folder / LOCK).unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


def _clear(job_folder: Path, jobs: StorePath, earlier: Sequence[JobResult]) -> None:
    """Remove the results of the jobs of an earlier sweep, once they are kept in one file."""
    if paths := result_files(location(job_folder)):
        write_results(jobs, earlier)
    for path in paths:
        path.unlink()


def _launch(arguments: Sequence[str], job_folder: Path) -> None:
    options = [f"hydra.sweep.dir={_quoted(str(job_folder))}", "hydra.sweep.subdir=."]
    # Freeze the objects created by imports, so that the garbage collector skips them in each job.
    gc.collect()
    gc.freeze()
    try:
        hydra_main(job, [*arguments, *options])
    finally:
        gc.unfreeze()


def _quoted(text: str) -> str:
    """The text as a quoted value in Hydra's grammar, with quotes and interpolations escaped."""
    escaped = re.sub(r"(\\*)('|\$\{|$)", lambda match: 2 * match[1] + _ESCAPES[match[2]], text)
    return f"'{escaped}'"


def _show(
    folder: StorePath,
    table: Table,
    best: Sequence[BestTrial],
    arguments: Sequence[str],
    seconds: float,
) -> None:
    command = shlex.join(["python", "-m", "depthmask", *arguments])
    (folder / TABLE).write_whole(table.as_csv().encode())
    (folder / PAGE).write_whole(page(table, folder, command, seconds, best).encode())
    say(table.as_text(), "table")
    for trial in best:
        say(f"best      {trial.text}", "best")
        say(f"again     {trial.command}", "again")
    say(f"table     {folder / TABLE}")
    say(f"page      {folder / PAGE}", "done", output=str(folder))
    show_path(folder)
