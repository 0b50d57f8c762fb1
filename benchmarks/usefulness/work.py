"""Carries out all runs that are missing, and keeps each once it is done."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from benchmarks.usefulness.composites import Workshop
from benchmarks.usefulness.identity import Identity
from benchmarks.usefulness.recipes_file import TASKS, Recipe
from benchmarks.usefulness.runs import Ledger, Run, Scale
from benchmarks.usefulness.sets import Picture
from benchmarks.usefulness.trainers import Place, results
from depthmask.concurrency import machine_info


@dataclass(frozen=True)
class Study:
    """One command: what is run, how much of it, on which photographs, and where it is kept.

    recipes: those of the table. chosen: those of them that are run. sets: kind -> photographs.
    """

    scale: Scale
    recipes: list[Recipe]
    chosen: list[Recipe]
    sets: dict[str, list[Picture]]
    ledger: Ledger
    identity: Identity
    place: Place
    jobs: int


def carry_out(study: Study, runs: Sequence[Run]) -> bool:
    """Carry out the runs that have no line yet, with a bar of steps.

    Returns whether all have one then, but for those of recipes that are left out. Each run that
    could not be made has been said in one line.
    """
    by_name = {(recipe.task, recipe.name): recipe for recipe in study.chosen}
    workshop = study.place.workshop()
    absent = {name: _reason_against(r, study.sets, workshop) for name, r in by_name.items()}
    for reason in filter(None, absent.values()):
        print(reason)
    missing = [run for run in runs if run not in study.ledger and not absent[run.task, run.recipe]]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeElapsedColumn(), disable=not missing) as bar:
        whole = bar.add_task("runs", total=len(missing))
        steps: dict[str, TaskID] = {}
        orders = [(run, by_name[run.task, run.recipe]) for run in missing]
        for run, message in results(orders, study.place, study.jobs):
            if run.key not in steps:
                steps[run.key] = bar.add_task(f"{run.task}/{run.recipe}", total=run.steps)
            if message is None:
                bar.advance(steps[run.key])
                continue
            if isinstance(message, dict):
                study.ledger.append(run, message | circumstances(study.identity.device))
            else:
                name = f"{run.task}/{run.recipe}, draw or seed {run.number}"
                bar.print(f"{name}: not made: {message}", markup=False, soft_wrap=True)
            bar.remove_task(steps[run.key])
            bar.advance(whole)
    return all(run in study.ledger for run in missing)


def _reason_against(recipe: Recipe, sets: dict[str, list[Picture]], workshop: Workshop) -> str:
    """Why the recipe cannot be run with this data, or nothing."""
    kinds = [TASKS[recipe.task], *(["people"] if recipe.photographs else [])]
    lacking = [kind for kind in dict.fromkeys(kinds) if not sets[kind]] + workshop.lacks(recipe)
    if not lacking:
        return ""
    return f"{recipe.task}/{recipe.name}: left out, for {', '.join(lacking)} is absent"


def circumstances(device: str) -> dict[str, Any]:
    """Machine, commit and time of a run, once it is done."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        commit = ""
    return {"device": device, "machine": machine_info(), "processor": _processor(),
            "cores": os.cpu_count(), "tensorflow": _version("tensorflow"), "commit": commit,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}  # fmt: skip


def _processor() -> str:
    """The model of the processor, such as Linux names it."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
