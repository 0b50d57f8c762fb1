"""Makes the job of an existing dataset from its `plan.json`, to repair or continue the dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depthmask.config.build import from_plain
from depthmask.config.needs import require_stages
from depthmask.config.plan_config import config_of
from depthmask.engine.annotate import annotate_job
from depthmask.engine.convert import convert_job
from depthmask.engine.from_config import job_from_config
from depthmask.engine.inputs.open import open_input
from depthmask.engine.job import Job
from depthmask.engine.recode import Recoding
from depthmask.errors import UsageError
from depthmask.storage.path import StorePath
from depthmask.untrusted import untrusted

_INPUT_JOBS = {"convert": convert_job, "annotate": annotate_job}
_NOT_PHOTOGRAPHS = {"skip_damaged": False, "resized": False, "encoded": False}
"""How an input becomes images, if it does not consist of photographs."""


def job_from_plan(plan: dict[str, Any], output: StorePath, **changes: Any) -> Job:
    """The job that made the dataset, with its assets or its input in their present state.

    changes: other values for settings of the root.
    """
    with untrusted(str(output / "plan.json")):
        require_stages(plan)
        root = replace(from_plain(config_of(plan)), output=str(output), **changes)
        kind = plan["job"]
        if kind in _INPUT_JOBS:
            changed, described = frozenset(plan["encoded"]), plan["dataset"]
            how = {**_NOT_PHOTOGRAPHS, **described.get("photographs", {})}
    if kind == "generate":
        return job_from_config(root)
    if kind in _INPUT_JOBS:
        job_input = open_input(described["paths"], skip_damaged=how["skip_damaged"]).adapted(
            root.canvas if how["resized"] else None, root.encode if how["encoded"] else None
        )
        return _INPUT_JOBS[kind](job_input, root, Recoding(root.encode, changed))
    raise UsageError(f"{output / 'plan.json'}: this version has no job {kind!r}")
