"""`depthmask -m ...`: make a dataset for each combination of settings, and a table of all.

The output folder of a sweep holds the datasets, `sweep.csv`, `sweep.html`, and `jobs/` with a JSON
file for each job and the files of launchers and sweepers. Reading a dataset does not use them.
"""

from __future__ import annotations

import gc
import hashlib
import json
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

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from depthmask.cli import dry_run, lines
from depthmask.cli.hydra_run import (
    as_depthmask_error,
    hydra_main,
    warn_of_disabled_plugins,
)
from depthmask.cli.lines import say, show_path
from depthmask.cli.screen import Screen
from depthmask.config.build import from_config
from depthmask.config.command_line import CommandLine
from depthmask.config.explain.error import explain
from depthmask.config.hydra_internals import BASIC_LAUNCHER, compose_sweep, planned_jobs
from depthmask.config.presets.tree import add_position, line_of_task
from depthmask.config.root import ProgressStyle
from depthmask.engine.run import run
from depthmask.errors import DepthmaskError, UsageError
from depthmask.reports.sweep.page import page
from depthmask.reports.sweep.result import (
    JobResult,
    Status,
    collect,
    number_at,
    result_files,
    write_result,
)
from depthmask.reports.sweep.table import Table
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import LOCK, StorePath

JOBS, TABLE, PAGE = "jobs", "sweep.csv", "sweep.html"
_MARKER = "sweep.json"
"""The file in `jobs/` that marks a folder as that of a sweep."""
_ESCAPES = {"'": "\\'", "${": "\\${", "": ""}


def main(arguments: Sequence[str]) -> int:
    """Run the sweep; returns 1 if a job failed. The table is written even if the sweep fails."""
    warn_of_disabled_plugins()
    start = time.perf_counter()
    config = _shared_config(arguments)
    if config.target is None and config.hydra.runtime.choices["hydra/sweeper"] == "optuna":
        raise UsageError(
            "hydra/sweeper=optuna needs a number in dataset.json to optimise; give target=NAME, "
            "such as target=statistics.mask.mean"
        )
    folder = _folder(config)
    if dry_run.is_used():
        # Imported here, since a sweep does not need it.
        from depthmask.cli import sweep_forecast

        return sweep_forecast.show(config, folder, arguments)
    _refuse_other_content(folder)
    with folder.locked(), _open_job_folder(folder, arguments) as job_folder, planned_jobs() as jobs:
        try:
            _launch(arguments, job_folder)
        except Exception as error:
            # If jobs have results, the launcher failed; otherwise the command line is wrong.
            raise (
                as_depthmask_error(error)
                if collect(job_folder, jobs)
                else explain(error, arguments)
            ) from error
        finally:
            results = collect(job_folder, jobs)
            if results:
                seconds = time.perf_counter() - start
                _show(folder, Table.of(results, config.target), arguments, seconds)
    return 0 if all(result.status.is_good for result in results) else DepthmaskError.exit_code


def job(config: DictConfig) -> float | None:
    """Run one job of the sweep; Hydra calls this in this process or in one of a launcher.

    Returns the value of `target`; None if the job failed, which Optuna counts as a failed trial.
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
    try:
        result = _run(config, screen)
    finally:
        screen.close()
    write_result(Path(hydra.sweep.dir), result)
    overrides = "" if in_sequence else f"  {' '.join(result.overrides)}"
    lines.use(config.progress.name)
    text = f"job {result.number}{overrides}  {_outcome(result)}"
    say(text, "job-done", status=result.status.name, output=result.dataset)
    return result.value


def _run(config: DictConfig, screen: Screen) -> JobResult:
    hydra = HydraConfig.get()
    unfinished = JobResult(
        number=int(hydra.job.num),
        overrides=tuple(one for one in hydra.overrides.task if not one.startswith("progress=")),
        status=Status.unfinished,
        where=f"{platform.node()}:{os.getpid()}",
    )
    try:
        root = from_config(config, line_of_task().overrides)
        result = run(root, screen, sweep=True)
        info = result.dataset.metadata
        value = number_at(info.as_json(), root.target) if root.target else None
    except Exception as error:
        add_position(error, line_of_task())
        return replace(unfinished, status=Status.failed, reason=str(as_depthmask_error(error)))
    return replace(
        unfinished,
        status=Status.made if result.made else Status.complete,
        dataset=str(result.dataset.path),
        samples=len(result.dataset),
        bytes=info.bytes,
        made=result.made,
        seconds=result.seconds,
        value=value,
        statistics=result.dataset.stats,
        depth_unit=info.contract.unit if info.contract else "",
    )


def _outcome(result: JobResult) -> str:
    if result.status is Status.failed:
        return f"failed: {result.reason}"
    if not result.made:
        return f"{result.samples:,} samples; nothing left to do"
    return f"{result.made:,} samples made in {result.seconds:.1f} s, {result.samples_per_s:,.0f}/s"


def _shared_config(arguments: Sequence[str]) -> DictConfig:
    """The config that all jobs share, with the swept settings at their defaults."""
    try:
        return compose_sweep(CommandLine.parse(arguments))
    except Exception as error:
        raise explain(error, arguments) from error


def _folder(config: DictConfig) -> StorePath:
    """The output folder of the sweep.

    Without `output=` it is named by a hash of the overrides, so that the same command resumes the
    same sweep.
    """
    if config.output is not None:
        return location(config.output)
    words = [word for word in config.hydra.overrides.task if not word.startswith("progress=")]
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
            if path.name != LOCK and not (path / "plan.json").is_file():
                raise UsageError(
                    f"output={folder} is not empty and holds no sweep; choose another output"
                )


@contextmanager
def _open_job_folder(folder: StorePath, arguments: Sequence[str]) -> Iterator[Path]:
    """Yield a local folder for the results of the jobs, without results of an earlier sweep.

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
    for path in result_files(job_folder):
        path.unlink()
    try:
        yield job_folder
    finally:
        if is_new and not (folder / TABLE).exists():
            shutil.rmtree(job_folder)
            (folder / LOCK).unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


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


def _show(folder: StorePath, table: Table, arguments: Sequence[str], seconds: float) -> None:
    command = shlex.join(["python", "-m", "depthmask", *arguments])
    (folder / TABLE).write_whole(table.as_csv().encode())
    (folder / PAGE).write_whole(page(table, folder, command, seconds).encode())
    say(table.as_text(), "table")
    say(f"table     {folder / 'sweep.csv'}")
    say(f"page      {folder / 'sweep.html'}", "done", output=str(folder))
    show_path(folder)
