"""Makes the job of an existing dataset from its `plan.json`, to repair or continue the dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depthmask.config.build import STAGE, from_plain
from depthmask.config.needs import require_settings, require_stages
from depthmask.config.plan_config import config_of, input_of
from depthmask.config.root import Root
from depthmask.engine.annotate import annotate_job
from depthmask.engine.convert import convert_job
from depthmask.engine.from_config import job_from_config
from depthmask.engine.inputs.open import open_input
from depthmask.engine.job import Job
from depthmask.engine.recode import Recoding
from depthmask.errors import UsageError
from depthmask.stages.source.assets import Assets
from depthmask.stages.source.base import Source
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.untrusted import untrusted

_INPUT_JOBS = {"convert": convert_job, "annotate": annotate_job}
_NOT_PHOTOGRAPHS = {"skip_damaged": False, "resized": False, "encoded": False}
"""How an input becomes images, if it does not consist of photographs."""


def job_from_plan(
    plan: dict[str, Any], output: StorePath, *, assets: str | None = None, **changes: Any
) -> Job:
    """The job that made the dataset, with its assets or its input in their present state.

    assets: the present `source.root`; None if that of the plan holds. changes: other values for
    settings of the root.
    """
    root = replace(root_from_plan(plan, output, assets), output=str(output), **changes)
    with untrusted(str(output / "plan.json")):
        kind = plan["job"]
        if kind in _INPUT_JOBS:
            changed, described = frozenset(plan["encoded"]), input_of(plan)
            how = {**_NOT_PHOTOGRAPHS, **described.get("photographs", {})}
    if kind == "generate":
        return job_from_config(root)
    if kind in _INPUT_JOBS:
        job_input = open_input(described["paths"], skip_damaged=how["skip_damaged"]).adapted(
            root.canvas if how["resized"] else None, root.encode if how["encoded"] else None
        )
        return _INPUT_JOBS[kind](job_input, root, Recoding(root.encode, changed))
    raise UsageError(f"{output / 'plan.json'}: this version has no job {kind!r}")


def root_from_plan(plan: dict[str, Any], output: StorePath, assets: str | None = None) -> Root:
    """The root of a plan, with `assets` as the folder or URL of its source, unless that is None.

    Raises `UsageError` for a source without such a setting, and asks for it if there is no folder.
    """
    with untrusted(str(output / "plan.json")):
        require_stages(plan)
        require_settings(plan)
        config = config_of(plan)
        source = config.get("source", {})
        if assets is not None and "root" in source:
            config = {**config, "source": {**source, "root": assets}}
        root = from_plain(config)
        made_of = f"source={source[STAGE]}" if source else f"`{plan['job']}`"
    if assets is not None and "root" not in source:
        raise UsageError(f"source.root={assets}: {output} is made by {made_of} and has no root")
    require_folder(root.source, output)
    return root


def require_folder(source: Source, output: StorePath) -> None:
    """Raise `UsageError` if the folder of the assets of a dataset is not where it was."""
    if not isinstance(source, Assets):
        return
    for root in source.roots:
        path = location(root)
        if not isinstance(path, LocalPath) or path.has_name():
            continue
        several = len(source.roots) > 1
        now = "FOLDER:FOLDER with the folders" if several else "FOLDER with the folder"
        raise UsageError(
            f"source.root={root}: no such folder; the assets of {output} were there, so add "
            f"source.root={now} where they are now"
        )
