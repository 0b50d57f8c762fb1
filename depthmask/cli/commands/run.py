"""`depthmask [run] [NAME=VALUE ...]`: make, resume or extend a dataset."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.hydra_run import run_task
from depthmask.cli.make import make
from depthmask.cli.screen import Screen
from depthmask.cli.show_config import show, with_topic
from depthmask.config.root import Root
from depthmask.engine.display import checking_assets
from depthmask.engine.from_config import job_from_config


def main(arguments: Sequence[str]) -> int:
    """Make one dataset, or with `-m` a sweep of datasets; returns the exit code.

    With an option of Hydra that shows something, such as `--cfg job`, show that and make nothing.
    """
    words = with_topic(arguments)
    if show(words):
        return 0
    if {"-m", "--multirun"} & set(words):
        from depthmask.cli.sweep.main import main as sweep

        return sweep(words)
    return run_task(_generate, words)


def _generate(root: Root, screen: Screen, overrides: Sequence[str]) -> None:
    with checking_assets(screen):
        job = job_from_config(root)
    make(job, screen, extendable=True)
