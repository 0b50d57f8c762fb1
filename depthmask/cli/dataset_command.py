"""Runs commands that take a dataset and settings, such as `annotate OUT depth=...`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from depthmask.cli.hydra_run import run_task
from depthmask.cli.make import make
from depthmask.cli.screen import Screen
from depthmask.cli.usage.pages import PAGES
from depthmask.config.explain.names import names_of, require_accepted
from depthmask.config.options import check_options
from depthmask.config.root import Root
from depthmask.engine.inputs.picture_list import SKIP
from depthmask.engine.inputs.settings import ACCEPTED
from depthmask.engine.inputs.task import input_job
from depthmask.errors import UsageError


def dataset_command(command: str, arguments: Sequence[str]) -> int:
    """Run a job over the input that the first arguments name; returns the exit code."""
    skip_damaged = SKIP in arguments
    paths, words = _paths_and_words(command, [word for word in arguments if word != SKIP])

    def task(root: Root, screen: Screen, overrides: Sequence[str]) -> None:
        names = names_of(overrides)
        job = input_job(command, paths, root, names, screen, skip_damaged=skip_damaged)
        make(job, screen)

    return run_task(task, words)


def _paths_and_words(command: str, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the arguments into the paths, which come first, and the words for Hydra.

    Raises `UsageError` if there is no path, or for a setting that is not accepted.
    """
    paths = list(takewhile(_is_path, arguments))
    words = list(arguments[len(paths) :])
    if not paths:
        before = f", before {words[0]}" if words else ""
        raise UsageError(
            f"{command} needs a dataset first{before}, or a folder of photographs, as in "
            f"`python -m depthmask {PAGES[command].examples[0]}`"
        )
    check_options(words, [SKIP])
    require_accepted(command, words, ACCEPTED[command])
    if {"-m", "--multirun"} & set(words):
        raise UsageError(f"{command} does not accept -m; it makes one dataset at a time")
    return paths, words


def _is_path(word: str) -> bool:
    is_path = word.startswith("~/") or not word.startswith(("-", "+", "~"))
    return is_path and ("=" not in word or Path(word).exists())
