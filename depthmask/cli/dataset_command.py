"""Runs commands that take a dataset and settings, such as `annotate OUT depth=...`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias

from depthmask.cli.hydra_run import run_task
from depthmask.cli.make import make
from depthmask.cli.plan_command import names_of
from depthmask.cli.screen import Screen
from depthmask.cli.usage.pages import PAGES
from depthmask.config.options import check_options
from depthmask.config.registry import near
from depthmask.config.root import Root
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.job import InputJob
from depthmask.engine.inputs.open import open_input
from depthmask.engine.inputs.picture_list import SKIP
from depthmask.errors import UsageError

JobMaker: TypeAlias = Callable[[JobInput, Root, Collection[str]], InputJob]
"""A function that makes the job from the input, the config and the names of the overrides."""


@dataclass(frozen=True, slots=True)
class InputCommand:
    """A command over existing samples."""

    name: str
    make_job: JobMaker

    @property
    def accepted(self) -> tuple[str, ...]:
        """The names of the settings and config groups that the command accepts."""
        return PAGES[self.name].settings


def dataset_command(command: InputCommand, arguments: Sequence[str]) -> int:
    """Run a job over the input that the first arguments name; returns the exit code."""
    skip_damaged = SKIP in arguments
    paths, words = _paths_and_words(command, [word for word in arguments if word != SKIP])

    def task(root: Root, screen: Screen, overrides: Sequence[str]) -> None:
        with screen.waiting("reading the input"):
            job_input = open_input(paths, skip_damaged=skip_damaged, display=screen)
            job = command.make_job(job_input, root, frozenset(names_of(overrides)))
        for line in job.input.lines:
            screen.line(line)
        make(job, screen)

    return run_task(task, words)


def _paths_and_words(
    command: InputCommand, arguments: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Split the arguments into the paths, which come first, and the words for Hydra.

    Raises `UsageError` if there is no path, or for a setting that is not accepted.
    """
    paths = list(takewhile(_is_path, arguments))
    words = list(arguments[len(paths) :])
    if not paths:
        before = f", before {words[0]}" if words else ""
        raise UsageError(
            f"{command.name} needs a dataset first{before}, or a folder of photographs, as in "
            f"`python -m depthmask {PAGES[command.name].examples[0]}`"
        )
    check_options(words, [SKIP])
    require_accepted(command.name, words, command.accepted)
    if {"-m", "--multirun"} & set(words):
        raise UsageError(f"{command.name} does not accept -m; it makes one dataset at a time")
    return paths, words


def require_accepted(command: str, words: Sequence[str], accepted: Collection[str]) -> None:
    """Raise `UsageError` for a setting that is not accepted."""
    for name in names_of(words):
        if name.partition(".")[0] not in (*accepted, "hydra"):
            meant = near(name.partition(".")[0].lower(), list(accepted))
            hint = f"; did you mean {meant}?" if meant else ""
            raise UsageError(
                f"{command} does not accept {name}{hint}; accepted: {', '.join(accepted)}"
            )


def _is_path(word: str) -> bool:
    return not word.startswith(("-", "+", "~")) and ("=" not in word or Path(word).exists())
