"""`depthmask -m ...`: a dataset for each combination, and what sets them side by side.

Where the datasets of a sweep lie there lie, too: `sweep.csv`, `sweep.html`, and `jobs/` with a
JSON file for each job and whatever launchers and sweepers write. No dataset's reader looks there.
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

from hydra import initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from depthmask.cli.run import as_one_line, flags_first, hydra_main
from depthmask.cli.screen import Screen
from depthmask.config import hydra_source
from depthmask.config.build import from_config
from depthmask.config.explain import explain
from depthmask.config.location import config_folder
from depthmask.config.sweep_jobs import announced
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
    write_whole,
)
from depthmask.reports.sweep.table import Table
from depthmask.storage.choice import locked
from depthmask.storage.location import Address, Location, location
from depthmask.storage.store import LOCK

JOBS, TABLE, PAGE = "jobs", "sweep.csv", "sweep.html"
_MARK = "sweep.json"
"""In the folder of the jobs: says that the folder is ours."""
_ESCAPED = {"'": "\\'", "${": "\\${", "": ""}
_IN_TURN = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


def main(arguments: Sequence[str]) -> int:
    """Run the sweep; 1 if a job failed. The table is there however the sweep ends."""
    start = time.perf_counter()
    config = _composed(arguments)
    if config.target is None and config.hydra.runtime.choices["hydra/sweeper"] == "optuna":
        raise UsageError(
            "hydra/sweeper=optuna: say what to optimise: target=NAME, a number of dataset.json, "
            "as target=statistics.mask.mean"
        )
    folder = _folder(config)
    _refuse_what_is_not_ours(folder)
    with locked(folder), _own_notes(folder, arguments) as notes, announced() as jobs:
        try:
            _launch(arguments, notes)
        except Exception as error:
            # Once there are jobs, their launcher failed; before, the command is not right.
            raise (
                as_one_line(error) if collect(notes, jobs) else explain(error, arguments)
            ) from error
        finally:
            results = collect(notes, jobs)
            if results:
                seconds = time.perf_counter() - start
                _show(folder, Table.of(results, config.target), arguments, seconds)
    return 0 if all(one.status.is_good for one in results) else DepthmaskError.exit_code


def job(config: DictConfig) -> float | None:
    """Hydra's task function, in this process or in a launcher's; the value of `target`.

    None where the job failed: Optuna's sweeper counts that as a failure, and goes on.
    """
    hydra = HydraConfig.get()
    # The lines and bars of jobs side by side would run into each other.
    in_turn = hydra.launcher._target_ == _IN_TURN
    screen = Screen(quiet=not in_turn)
    if not in_turn:
        # Joblib leaves a method of its own as the default, which workers of ours would inherit
        # and know nothing of.
        multiprocessing.set_start_method("spawn", force=True)
    screen.line(f"job {hydra.job.num}  {' '.join(hydra.overrides.task)}")
    try:
        result = _run(config, screen)
    finally:
        screen.close()
    write_result(Path(hydra.sweep.dir), result)
    words = "" if in_turn else f"  {' '.join(result.overrides)}"
    print(f"job {result.number}{words}  {_in_words(result)}", file=sys.stderr)
    return result.value


def _run(config: DictConfig, screen: Screen) -> JobResult:
    hydra = HydraConfig.get()
    begun = JobResult(
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
        return replace(begun, status=Status.failed, reason=str(as_one_line(error)))
    return replace(
        begun,
        status=Status.made if result.made else Status.complete,
        dataset=str(result.dataset.path),
        samples=len(result.dataset),
        bytes=info.bytes,
        made=result.made,
        seconds=result.seconds,
        value=value,
        statistics=result.dataset.stats,
    )


def _in_words(result: JobResult) -> str:
    if result.status is Status.failed:
        return f"failed: {result.reason}"
    if not result.made:
        return f"{result.samples:,} samples; nothing left to do"
    return f"{result.made:,} samples made in {result.seconds:.1f} s, {result.samples_per_s:,.0f}/s"


def _composed(arguments: Sequence[str]) -> DictConfig:
    """The config that the jobs have in common, the swept settings at their defaults."""
    options = get_args_parser().parse_args(flags_first(arguments))
    more = [f"hydra.searchpath=[file://{options.config_dir}]"] if options.config_dir else []
    hydra_source.register()
    try:
        with initialize_config_dir(str(config_folder()), version_base="1.3"):
            loaded = GlobalHydra.instance().hydra
            assert loaded is not None, "initialize_config_dir has set it"
            return loaded.compose_config(
                config_name=options.config_name or "config",
                overrides=[*options.overrides, *more],
                run_mode=RunMode.MULTIRUN,
                with_log_configuration=False,
            )
    except Exception as error:
        raise explain(error, arguments) from error


def _folder(config: DictConfig) -> Location:
    """Where the table goes: the sweep's output; without one a folder that the command finds again.

    The words of the command name it, as a dataset's is named by its plan.
    """
    if config.output is not None:
        return location(config.output)
    asked = [config.hydra.overrides.task, config.hydra.sweeper]
    text = "".join(OmegaConf.to_yaml(part, sort_keys=True) for part in asked)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return location("outputs") / f"sweep-{digest[:8]}"


def _refuse_what_is_not_ours(folder: Location) -> None:
    """UsageError if the folder holds a dataset, or anything that no sweep has put there."""
    if (folder / "plan.json").exists():
        raise UsageError(
            f"output={folder}: a dataset, and a sweep needs a folder for many; "
            "choose another output"
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"output={folder}: a file; choose the name of a folder")
    if folder.is_dir() and not (folder / JOBS / _MARK).is_file():
        for path in folder.iterdir():
            if path.name != LOCK and not (path / "plan.json").is_file():
                raise UsageError(
                    f"output={folder}: the folder is not empty and holds no sweep of ours; "
                    "choose another output"
                )


@contextmanager
def _own_notes(folder: Location, arguments: Sequence[str]) -> Iterator[Path]:
    """The local folder of the jobs' results, without those of an earlier sweep.

    It goes again if there is no table in the end: a command with a typing error leaves nothing.
    """
    if isinstance(folder, Address):
        mark = folder / JOBS / _MARK
        with tempfile.TemporaryDirectory(prefix="depthmask-jobs-") as notes:
            yield Path(notes)
        mark.write_text(json.dumps({"arguments": list(arguments)}) + "\n", encoding="utf-8")
        return
    with _notes_within(folder, arguments) as notes_within:
        yield notes_within


@contextmanager
def _notes_within(folder: Path, arguments: Sequence[str]) -> Iterator[Path]:
    notes = folder / JOBS
    is_new = not notes.exists()
    notes.mkdir(exist_ok=True)
    write_whole(notes / _MARK, json.dumps({"arguments": list(arguments)}) + "\n")
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
    # 40,000 configs' worth of objects: without those of the imports the collector is through
    # in a tenth of the time, which is 0.03 s less for each job.
    gc.collect()
    gc.freeze()
    try:
        hydra_main(job, [*arguments, *own])
    finally:
        gc.unfreeze()


def _quoted(text: str) -> str:
    """As a value of Hydra's grammar: no quote ends it, and nothing in it is an interpolation."""
    escaped = re.sub(r"(\\*)('|\$\{|$)", lambda found: 2 * found[1] + _ESCAPED[found[2]], text)
    return f"'{escaped}'"


def _show(folder: Location, table: Table, arguments: Sequence[str], seconds: float) -> None:
    command = shlex.join(["python", "-m", "depthmask", *arguments])
    write_whole(folder / TABLE, table.as_csv())
    write_whole(folder / PAGE, page(table, folder, command, seconds))
    print(table.as_text())
    print(f"table     {folder / 'sweep.csv'}", file=sys.stderr)
    print(f"page      {folder / 'sweep.html'}", file=sys.stderr)
