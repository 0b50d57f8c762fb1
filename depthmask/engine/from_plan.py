"""A job once more, from the `plan.json` that it left: what repairs a dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depthmask.config.build import from_plain
from depthmask.engine.annotate import annotated
from depthmask.engine.convert import converted
from depthmask.engine.inputs.open import open_input
from depthmask.engine.job import Job
from depthmask.engine.recode import Recoding
from depthmask.engine.run import prepare
from depthmask.errors import UsageError
from depthmask.stages.source.base import AssetCatalogue
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import Location
from depthmask.untrusted import untrusted

_OVER_ORIGIN = {"convert": converted, "annotate": annotated}


def job_from_plan(
    plan: dict[str, Any], output: Location
) -> tuple[Job, DatasetIdentity, AssetCatalogue]:
    """The job of a plan, its claim, and what it is made from, as they stand now."""
    with untrusted(str(output / "plan.json")):
        root = replace(from_plain(plan["config"]), output=str(output))
        kind = plan["job"]
        if kind in _OVER_ORIGIN:
            paths, changed = plan["dataset"]["paths"], frozenset(plan["encoded"])
    if kind == "generate":
        checked = root.source.check(root.canvas)
        return *prepare(root, checked.digest), checked
    if kind in _OVER_ORIGIN:
        there = open_input(paths)
        job, wanted = _OVER_ORIGIN[kind](there, root, Recoding(root.encode, changed))
        return job, wanted, there.checked
    raise UsageError(f"{output / 'plan.json'}: no job of this version is called {kind!r}")
