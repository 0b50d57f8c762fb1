"""`depthmask resume OUT [runner.*]`: complete a dataset, with the settings of its plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from depthmask.cli.hydra_run import warn_of_disabled_plugins
from depthmask.cli.make import make
from depthmask.cli.moved_assets import assets_and_words
from depthmask.cli.plan_command import dataset_and_words, plan_of
from depthmask.cli.screen import Screen
from depthmask.cli.system_error import as_depthmask_error
from depthmask.config.compose import compose_root
from depthmask.config.explain.names import names_of
from depthmask.config.root import ProgressStyle
from depthmask.engine.display import checking_assets
from depthmask.engine.from_plan import job_from_plan
from depthmask.errors import UsageError
from depthmask.storage.path import StorePath
from depthmask.storage.shell import command, path_word


def main(arguments: Sequence[str]) -> int:
    """Make the samples that are missing; the words may choose and set the runner."""
    assets, words = assets_and_words(arguments)
    dataset, words = dataset_and_words("resume", words)
    refuse_others("resume", dataset, words, ("runner", "progress"))
    continue_dataset(dataset, plan_of(dataset), words, assets=assets)
    return 0


def refuse_others(
    name: str, dataset: StorePath, words: Sequence[str], accepted: Collection[str]
) -> None:
    """Raise `UsageError` for a setting that the command NAME does not accept, with what does."""
    folder = path_word(dataset)
    for setting in names_of(words):
        group = setting.partition(".")[0]
        if group == "samples" and group not in accepted:
            raise UsageError(
                f"{name} does not change {setting}; `{command('extend', folder, 'samples=N')}` "
                "makes more samples"
            )
        if group not in accepted:
            *others, last = ("runner.*" if one == "runner" else one for one in accepted)
            allowed = f"{', '.join(others)} and {last}"
            raise UsageError(
                f"{name} changes nothing but {allowed}; "
                f"`{command('repeat', folder, 'output=OUT2')} {setting}=...` makes another dataset "
                f"with another {setting}"
            )


def continue_dataset(
    dataset: StorePath, plan: dict[str, Any], words: Sequence[str], **changes: Any
) -> None:
    """Make what a dataset lacks by its plan, and show the result.

    words: of the command line, for the runner and the progress. changes: as of `job_from_plan`.
    """
    warn_of_disabled_plugins()
    if words:
        root = compose_root(words)
        changes |= {"runner": root.runner, "progress": root.progress}
    with Screen(changes.get("progress", ProgressStyle.auto)) as screen:
        try:
            with checking_assets(screen):
                job = job_from_plan(plan, dataset, **changes)
            make(job, screen, extendable=plan["job"] == "generate")
        except Exception as error:
            raise as_depthmask_error(error) from error
