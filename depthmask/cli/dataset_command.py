"""Command lines with datasets and settings, as `annotate OUT depth=...`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias

from depthmask.cli.hydra_run import options_and_overrides, single
from depthmask.cli.screen import Screen
from depthmask.cli.summary import show_result
from depthmask.config.root import Root
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.open import open_input
from depthmask.engine.job import Job
from depthmask.engine.run import run_job
from depthmask.errors import UsageError

DECIDING = ("output", "overwrite", "shard_size", "writer", "encode", "runner")
"""Settings that apply to a job over existing samples."""

Prepare: TypeAlias = Callable[[JobInput, Root, Collection[str]], Job]
"""Makes the job from the input, the config and the names of the overrides."""


def dataset_command(
    command: str, arguments: Sequence[str], groups: Collection[str], prepare: Prepare
) -> int:
    """Run a job over the datasets that the first arguments name; returns the exit code.

    groups: the settings that the command accepts, by name or by config group.
    """
    paths, words = _split_words(command, arguments, groups)

    def task(root: Root, screen: Screen, overrides: Sequence[str]) -> None:
        job = prepare(open_input(paths), root, _names(overrides))
        show_result(run_job(job, screen), screen)

    return single(task, words)


def _split_words(
    command: str, arguments: Sequence[str], groups: Collection[str]
) -> tuple[list[str], list[str]]:
    """Split the arguments into paths of datasets, which come first, and words for Hydra.

    Raises `UsageError` for a setting outside `groups`, and without a dataset.
    """
    paths = list(takewhile(_is_path, arguments))
    words = list(arguments[len(paths) :])
    if not paths:
        raise UsageError(
            f"{command} needs a dataset first, as in `depthmask {command} OUT output=OUT2`"
        )
    for name in _names(words):
        if name.partition(".")[0] not in (*groups, "hydra"):
            raise UsageError(f"{command} does not accept {name}; accepted: {', '.join(groups)}")
    if {"-m", "--multirun"} & set(words):
        raise UsageError(f"{command} does not accept -m; it makes one dataset at a time")
    return paths, words


def _names(words: Sequence[str]) -> frozenset[str]:
    """The names of the overridden settings, as `encode.depth`."""
    _, overrides = options_and_overrides(words)
    return frozenset(word.lstrip("+~").partition("=")[0].partition("@")[0] for word in overrides)


def _is_path(word: str) -> bool:
    return not word.startswith(("-", "+", "~")) and ("=" not in word or Path(word).exists())
