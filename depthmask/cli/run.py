"""`depthmask [run] [NAME=VALUE ...]`: make, resume or extend a dataset."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.hydra_run import run_task
from depthmask.cli.make import make
from depthmask.cli.screen import Screen
from depthmask.config.root import Root
from depthmask.engine.from_config import job_from_config


def main(arguments: Sequence[str]) -> int:
    """Make one dataset, or with `-m` a sweep of datasets; returns the exit code."""
    if {"-m", "--multirun"} & set(arguments):
        from depthmask.cli import sweep

        return sweep.main(arguments)
    return run_task(_generate, arguments)


def _generate(root: Root, screen: Screen, overrides: Sequence[str]) -> None:
    with screen.waiting("checking the assets"):
        job = job_from_config(root)
    make(job, screen, overrides)
