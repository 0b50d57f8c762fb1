"""`depthmask -m ...`: make a dataset for each combination of settings, and a table of all."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from depthmask.cli import dry_run
from depthmask.cli.hydra_run import (
    hydra_main,
    warn_of_disabled_plugins,
)
from depthmask.cli.lines import say, show_path
from depthmask.cli.sweep.folder import (
    JOBS,
    PAGE,
    TABLE,
    clear_results,
    folder_of,
    open_job_folder,
    refuse_other_content,
)
from depthmask.cli.sweep.job import job
from depthmask.cli.sweep.launcher import end_workers_with_sweep
from depthmask.cli.sweep.targets import directions_of, targets_of
from depthmask.cli.system_error import as_depthmask_error
from depthmask.config.command_line import CommandLine
from depthmask.config.explain.error import explain
from depthmask.config.hydra_internals import (
    compose_sweep,
    job_errors_without_lines,
    planned_jobs,
)
from depthmask.config.options import refuse_folders_of_hydra
from depthmask.errors import DepthmaskError
from depthmask.reports.optional import optional
from depthmask.reports.sweep.best import BestTrial, best_trials
from depthmask.reports.sweep.earlier import read_results, with_earlier, write_results
from depthmask.reports.sweep.page import page
from depthmask.reports.sweep.result import (
    JobResult,
    Status,
    collect,
)
from depthmask.reports.sweep.table import Table
from depthmask.storage.path import StorePath
from depthmask.storage.shell import command, setting


def main(arguments: Sequence[str]) -> int:
    """Run the sweep; returns 1 if a job failed. The table is written even if the sweep fails."""
    refuse_folders_of_hydra(arguments)
    warn_of_disabled_plugins()
    start = time.perf_counter()
    config = _shared_config(arguments)
    directions = directions_of(config)
    folder = folder_of(config)
    if dry_run.is_used():
        # Imported here, since a sweep does not need it.
        from depthmask.cli.sweep import forecast

        return forecast.show(config, folder, arguments)
    refuse_other_content(folder)
    with folder.locked(), open_job_folder(folder, arguments) as job_folder, planned_jobs() as jobs:
        earlier = read_results(folder / JOBS)
        clear_results(job_folder, folder / JOBS, earlier)
        try:
            end_workers_with_sweep(config)
            _launch(arguments, job_folder)
        except Exception as error:
            raise _reason(error, arguments, collect(job_folder, jobs)) from error
        finally:
            results = collect(job_folder, jobs)
            if results:
                rows = with_earlier(results, earlier, folder, targets_of(config))
                write_results(folder / JOBS, rows)
                own = Table.of(rows[: len(results)])
                best = best_trials(own.results, directions, own.varied)
                table = Table.of(rows, targets_of(config))
                _show(folder, table, best, arguments, time.perf_counter() - start)
    if len(results) == 1 and not directions:
        text = "-m made one dataset, since no setting has several values, as in seed=0,1"
        say(text, "note")
    return 0 if all(result.status.is_good for result in results) else DepthmaskError.exit_code


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


def _launch(arguments: Sequence[str], job_folder: Path) -> None:
    options = [setting("hydra.sweep.dir", str(job_folder)), "hydra.sweep.subdir=."]
    # Freeze the objects created by imports, so that the garbage collector skips them in each job.
    gc.collect()
    gc.freeze()
    try:
        with job_errors_without_lines():
            hydra_main(job, [*arguments, *options])
    finally:
        gc.unfreeze()


def _show(
    folder: StorePath,
    table: Table,
    best: Sequence[BestTrial],
    arguments: Sequence[str],
    seconds: float,
) -> None:
    # A folder's name may hold bytes that are not valid UTF-8.
    (folder / TABLE).write_whole(table.as_csv().encode(errors="surrogateescape"))
    text = optional(PAGE, lambda: page(table, folder, command(*arguments), seconds, best))
    if text is not None:
        (folder / PAGE).write_whole(text.encode())
    say(table.as_text(), "table")
    for trial in best:
        say(f"best      {trial.text}", "best")
        say(f"again     {trial.command}", "again")
    say(f"table     {folder / TABLE}")
    say(f"page      {folder / PAGE}" if text else "done", "done", output=str(folder))
    show_path(folder)
