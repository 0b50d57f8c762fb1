"""`depthmask repeat OUT output=OUT2 [NAME=VALUE ...]`: make a dataset again, with some changes."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any

from depthmask.cli.hydra_run import run_task
from depthmask.cli.make import make
from depthmask.cli.plan_command import dataset_and_words, plan_of
from depthmask.cli.screen import Screen
from depthmask.config.build import from_plain
from depthmask.config.command_from_plan import input_job_overrides
from depthmask.config.command_line import CONFIG, CommandLine
from depthmask.config.explain.names import names_of, require_accepted
from depthmask.config.needs import require_stages
from depthmask.config.plan_config import config_of, input_of
from depthmask.config.plan_source import PLAN, plan_offered
from depthmask.config.root import Root
from depthmask.engine.display import checking_assets
from depthmask.engine.from_config import job_from_config
from depthmask.engine.from_plan import require_folder
from depthmask.engine.inputs.open import open_input
from depthmask.engine.inputs.settings import ACCEPTED
from depthmask.engine.inputs.task import MAKERS
from depthmask.engine.job import Job
from depthmask.errors import UsageError
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.shell import command, path_word
from depthmask.untrusted import untrusted


def main(arguments: Sequence[str]) -> int:
    """Make a dataset by the plan of another; the words change settings and stages of the plan."""
    dataset, words = dataset_and_words("repeat", arguments)
    if CommandLine.parse(words).config_name != CONFIG:
        raise UsageError("repeat starts from the plan of the dataset; leave --config-name out")
    plan = plan_of(dataset)
    config = _config_of(dataset, plan, words)

    def task(root: Root, screen: Screen, overrides: Sequence[str]) -> None:
        _require_new_output(dataset, root.output)
        with checking_assets(screen):
            job = _job(dataset, plan, root, names_of(overrides))
        make(job, screen, extendable=plan["job"] == "generate")

    with plan_offered(config):
        return run_task(task, ["--config-name", PLAN, *words])


def _config_of(dataset: StorePath, plan: dict[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """The config of a plan, checked; raises `UsageError` for a setting that the job has not."""
    with untrusted(str(dataset / "plan.json")):
        job = plan["job"]
        if job != "generate" and job not in MAKERS:
            raise UsageError(f"this version has no job {job!r}")
        require_stages(plan)
        config = config_of(plan)
        from_plain(config)
    if job in MAKERS:
        require_accepted(f"repeat of a dataset by {job}", words, ACCEPTED[job])
    return config


def _require_new_output(dataset: StorePath, output: str | None) -> None:
    example = command("repeat", path_word(dataset), "output=OUT2")
    if output is None:
        raise UsageError(f"repeat needs output=FOLDER for the new dataset, as in `{example}`")
    if _is_same(dataset, location(output)):
        raise UsageError(
            f"output={output}: is the dataset to repeat; choose another folder, as in `{example}`, "
            f"or complete this one with `{command('resume', path_word(dataset))}`"
        )


def _is_same(one: StorePath, other: StorePath) -> bool:
    if isinstance(one, LocalPath) and isinstance(other, LocalPath):
        return os.path.realpath(one) == os.path.realpath(other)
    return str(one) == str(other)


def _job(dataset: StorePath, plan: dict[str, Any], root: Root, overridden: Collection[str]) -> Job:
    """The job of a plan with another root. overridden: the names of the settings that changed."""
    if plan["job"] == "generate":
        if "source.root" not in overridden:
            require_folder(root.source, dataset)
        return job_from_config(root)
    names = {*names_of(list(input_job_overrides(plan))), *overridden}
    described = input_of(plan)
    skip_damaged = bool(described.get("photographs", {}).get("skip_damaged"))
    job_input = open_input(described["paths"], skip_damaged=skip_damaged)
    return MAKERS[plan["job"]](job_input, root, names)
