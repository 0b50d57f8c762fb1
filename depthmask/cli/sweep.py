"""`depthmask -m ...`: a dataset for each combination of settings, and a table to compare them.

The output folder of a sweep holds the datasets, `sweep.csv`, `sweep.html`, and `jobs/` with a JSON
file for each job and the files of launchers and sweepers. Readers of datasets ignore these files.
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
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from depthmask.cli.hydra_run import (
    as_depthmask_error,
    flags_first,
    hydra_main,
    warn_of_plugins,
)
from depthmask.cli.screen import Screen
from depthmask.config import hydra_source
from depthmask.config.build import from_config
from depthmask.config.explain import explain
from depthmask.config.hydra_internals import BASIC_LAUNCHER, announced_jobs, compose_sweep
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
_MARK = "sweep.json"
"""File in `jobs/` that marks the folder of a sweep."""
_ESCAPED = {"'": "\\'", "${": "\\${", "": ""}


def main(arguments: Sequence[str]) -> int:
    """Run the sweep; returns 1 if a job failed. The table is written however the sweep ends."""
    warn_of_plugins()
    start = time.perf_counter()
    config = _shared_config(arguments)
    if config.target is None and config.hydra.runtime.choices["hydra/sweeper"] == "optuna":
        raise UsageError(
            "hydra/sweeper=optuna needs a number of dataset.json to optimise; give target=NAME, "
            "as target=statistics.mask.mean"
        )
    folder = _folder(config)
    _refuse_other_content(folder)
    with folder.locked(), _job_folder(folder, arguments) as notes, announced_jobs() as jobs:
        try:
            _launch(arguments, notes)
        except Exception as error:
            # With results of jobs the launcher failed; without any the command line is wrong.
            raise (
                as_depthmask_error(error) if collect(notes, jobs) else explain(error, arguments)
            ) from error
        finally:
            results = collect(notes, jobs)
            if results:
                seconds = time.perf_counter() - start
                _show(folder, Table.of(results, config.target), arguments, seconds)
    return 0 if all(one.status.is_good for one in results) else DepthmaskError.exit_code


def job(config: DictConfig) -> float | None:
    """Hydra's task function, run in this process or in a launcher's; returns the value of `target`.

    None if the job failed: Optuna's sweeper counts it as a failure, and goes on.
    """
    hydra = HydraConfig.get()
    # The lines and bars of concurrent jobs would mix.
    one_by_one = hydra.launcher._target_ == BASIC_LAUNCHER
    screen = Screen(quiet=not one_by_one)
    if not one_by_one:
        # Joblib sets a start method of its own as the default, which does not work for the
        # processes of the runner.
        multiprocessing.set_start_method("spawn", force=True)
    screen.line(f"job {hydra.job.num}  {' '.join(hydra.overrides.task)}")
    try:
        result = _run(config, screen)
    finally:
        screen.close()
    write_result(Path(hydra.sweep.dir), result)
    overrides = "" if one_by_one else f"  {' '.join(result.overrides)}"
    print(f"job {result.number}{overrides}  {_outcome(result)}", file=sys.stderr)
    return result.value


def _run(config: DictConfig, screen: Screen) -> JobResult:
    hydra = HydraConfig.get()
    unfinished = JobResult(
        number=int(hydra.job.num),
        overrides=tuple(hydra.overrides.task),
        status=Status.unfinished,
        where=f"{platform.node()}:{os.getpid()}",
    )
    try:
        root = from_config(config)
        result = run(root, screen, sweep=True)
        info = result.dataset.metadata
        value = number_at(info.as_json(), root.target) if root.target else None
    except Exception as error:
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
    )


def _outcome(result: JobResult) -> str:
    if result.status is Status.failed:
        return f"failed: {result.reason}"
    if not result.made:
        return f"{result.samples:,} samples; nothing left to do"
    return f"{result.made:,} samples made in {result.seconds:.1f} s, {result.samples_per_s:,.0f}/s"


def _shared_config(arguments: Sequence[str]) -> DictConfig:
    """The config that the jobs have in common, with the swept settings at their defaults."""
    hydra_source.register()
    try:
        return compose_sweep(flags_first(arguments))
    except Exception as error:
        raise explain(error, arguments) from error


def _folder(config: DictConfig) -> StorePath:
    """The output folder of the sweep.

    Without `output=` the name is a hash of the overrides, so that the same command resumes the same
    sweep.
    """
    if config.output is not None:
        return location(config.output)
    overrides = [config.hydra.overrides.task, config.hydra.sweeper]
    text = "".join(OmegaConf.to_yaml(one, sort_keys=True) for one in overrides)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return location("outputs") / f"sweep-{digest[:8]}"


def _refuse_other_content(folder: StorePath) -> None:
    """Raise `UsageError` if the folder holds anything else than a sweep and its datasets."""
    if (folder / "plan.json").exists():
        raise UsageError(
            f"output={folder} is a dataset, but a sweep needs a folder for several; "
            "choose another output"
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"output={folder} is a file; choose a folder")
    if folder.is_dir() and not (folder / JOBS / _MARK).is_file():
        for path in folder.iterdir():
            if path.name != LOCK and not (path / "plan.json").is_file():
                raise UsageError(
                    f"output={folder} is not empty and holds no sweep; choose another output"
                )


@contextmanager
def _job_folder(folder: StorePath, arguments: Sequence[str]) -> Iterator[Path]:
    """Yield the local folder for the jobs' results, emptied of those of an earlier sweep.

    A new folder is removed if the sweep writes no table, so that a mistyped command leaves nothing.
    """
    mark = json.dumps({"arguments": list(arguments)}).encode() + b"\n"
    if isinstance(folder, LocalPath):
        with _local_job_folder(folder, mark) as notes:
            yield notes
        return
    with tempfile.TemporaryDirectory(prefix="depthmask-jobs-") as scratch:
        yield Path(scratch)
    (folder / JOBS / _MARK).write_whole(mark)


@contextmanager
def _local_job_folder(folder: LocalPath, mark: bytes) -> Iterator[Path]:
    notes = folder / JOBS
    is_new = not notes.exists()
    notes.mkdir(exist_ok=True)
    (notes / _MARK).write_whole(mark)
    for path in result_files(notes):
        path.unlink()
    try:
        yield notes
    finally:
        if is_new and not (folder / TABLE).exists():
            shutil.rmtree(notes)
            (folder / LOCK).unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


def _launch(arguments: Sequence[str], notes: Path) -> None:
    own = [f"hydra.sweep.dir={_quoted(str(notes))}", "hydra.sweep.subdir=."]
    # Freeze objects created by imports so that the collector skips them, which saves 0.03 s a job.
    gc.collect()
    gc.freeze()
    try:
        hydra_main(job, [*arguments, *own])
    finally:
        gc.unfreeze()


def _quoted(text: str) -> str:
    """A value in Hydra's grammar, with its quotes and interpolations escaped."""
    escaped = re.sub(r"(\\*)('|\$\{|$)", lambda match: 2 * match[1] + _ESCAPED[match[2]], text)
    return f"'{escaped}'"


def _show(folder: StorePath, table: Table, arguments: Sequence[str], seconds: float) -> None:
    command = shlex.join(["python", "-m", "depthmask", *arguments])
    (folder / TABLE).write_whole(table.as_csv().encode())
    (folder / PAGE).write_whole(page(table, folder, command, seconds).encode())
    print(table.as_text())
    print(f"table     {folder / 'sweep.csv'}", file=sys.stderr)
    print(f"page      {folder / 'sweep.html'}", file=sys.stderr)
