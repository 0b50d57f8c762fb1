"""The command line of verbs that take datasets and settings: `annotate OUT depth=...`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias

from depthmask.cli.run import options_and_overrides, single
from depthmask.cli.screen import Screen
from depthmask.cli.summary import show_result
from depthmask.config.root import Root
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.open import open_input
from depthmask.engine.job import Job
from depthmask.engine.run import run_job
from depthmask.errors import UsageError

DECIDING = ("output", "overwrite", "shard_size", "writer", "encode", "runner")
"""Settings that mean something where the samples are there already."""


Prepare: TypeAlias = Callable[[JobInput, Root, Collection[str]], Job]
"""Makes a job from existing samples, a config, and the names of the settings that the user gave."""


def dataset_command(
    verb: str, arguments: Sequence[str], groups: Collection[str], prepare: Prepare
) -> int:
    """Run a job over the samples at the paths that come first; returns the exit code."""
    paths, words = _split_words(verb, arguments, groups)

    def task(root: Root, screen: Screen, overrides: Sequence[str]) -> None:
        job = prepare(open_input(paths), root, _names(overrides))
        show_result(run_job(job, screen), screen)

    return single(task, words)


def _split_words(
    verb: str, arguments: Sequence[str], groups: Collection[str]
) -> tuple[list[str], list[str]]:
    """The datasets that come first, and what goes to Hydra.

    groups: the settings that the verb heeds; UsageError for any other, and if there is no dataset.
    """
    paths = list(takewhile(_is_path, arguments))
    words = list(arguments[len(paths) :])
    if not paths:
        raise UsageError(f"{verb}: name a dataset first, as in `depthmask {verb} OUT output=OUT2`")
    for name in _names(words):
        if name.partition(".")[0] not in (*groups, "hydra"):
            raise UsageError(
                f"{name}: {verb} has no use for it, the samples are there; "
                f"it heeds {', '.join(groups)}"
            )
    if {"-m", "--multirun"} & set(words):
        raise UsageError(f"{verb}: one dataset at a time, so without -m")
    return paths, words


def _names(words: Sequence[str]) -> frozenset[str]:
    """Of the settings that are overridden, as `encode.depth`."""
    _, overrides = options_and_overrides(words)
    return frozenset(word.lstrip("+~").partition("=")[0].partition("@")[0] for word in overrides)


def _is_path(word: str) -> bool:
    return not word.startswith(("-", "+", "~")) and ("=" not in word or Path(word).exists())
