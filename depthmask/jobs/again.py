"""A job once more, from the `plan.json` that it left: what repairs a dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depthmask.config.build import from_plain
from depthmask.errors import UsageError
from depthmask.formats.untrusted import untrusted
from depthmask.job import Job
from depthmask.jobs.annotate import annotated
from depthmask.jobs.convert import converted
from depthmask.jobs.find import origin
from depthmask.jobs.recode import Recoding
from depthmask.location import Location
from depthmask.output.guard import Claim
from depthmask.run import prepare
from depthmask.source.base import Checked

_OVER_ORIGIN = {"convert": converted, "annotate": annotated}


def again(plan: dict[str, Any], output: Location) -> tuple[Job, Claim, Checked]:
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
        there = origin(paths)
        job, wanted = _OVER_ORIGIN[kind](there, root, Recoding(root.encode, changed))
        return job, wanted, there.checked
    raise UsageError(f"{output / 'plan.json'}: no job of this version is called {kind!r}")
