"""One job of a sweep: a dataset, and its result."""

from __future__ import annotations

import multiprocessing
import os
import platform
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from depthmask.cli import lines
from depthmask.cli.lines import say
from depthmask.cli.screen import Screen
from depthmask.cli.sweep.targets import OPTUNA, targets_of
from depthmask.cli.system_error import as_depthmask_error
from depthmask.config.build import from_config, to_plain
from depthmask.config.command_from_plan import settings_of
from depthmask.config.hydra_internals import (
    BASIC_LAUNCHER,
)
from depthmask.config.presets.tree import add_position, line_of_task
from depthmask.config.root import ProgressStyle, Root
from depthmask.engine.display import checking_assets
from depthmask.engine.from_config import job_from_config
from depthmask.engine.run import run_job
from depthmask.errors import DepthmaskError, UsageError
from depthmask.reports.sweep.figures import with_figures, with_values
from depthmask.reports.sweep.result import (
    JobResult,
    Status,
    write_result,
)


def job(config: DictConfig) -> float | tuple[float, ...] | None:
    """Run one job of the sweep; Hydra calls this in this process or in one of a launcher.

    Returns the value of `target`, or of each of several; None if the job failed, which Optuna
    counts as a failed trial. Raises `UsageError` for a target that does not exist if Optuna
    searches, since no other trial would have it.
    """
    hydra = HydraConfig.get()
    # The output of concurrent jobs would be mixed, so only jobs in sequence show theirs.
    in_sequence = hydra.launcher._target_ == BASIC_LAUNCHER
    if not in_sequence:
        # Joblib changes the default start method to its own, which the runner's processes cannot
        # use.
        multiprocessing.set_start_method("spawn", force=True)
    job_folder = Path(hydra.sweep.dir)
    with Screen(config.progress if in_sequence else ProgressStyle.none) as screen:
        screen.line(f"job {hydra.job.num}  {' '.join(hydra.overrides.task)}", "job")
        result = _run(config, screen, job_folder)
    targets = targets_of(config)
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
        root = from_config(config)
        result = replace(result, settings=_settings(root))
        with checking_assets(screen):
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
