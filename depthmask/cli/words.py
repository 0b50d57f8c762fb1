"""The command line of verbs that take datasets and settings: `annotate OUT depth=...`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import takewhile
from pathlib import Path

from depthmask.cli.run import options_and_overrides
from depthmask.errors import UsageError

DECIDING = ("output", "overwrite", "shard_size", "writer", "encode", "runner")
"""Settings that mean something where the samples are there already."""


def split_words(
    verb: str, arguments: Sequence[str], groups: Collection[str]
) -> tuple[list[str], list[str]]:
    """The datasets that come first, and what goes to Hydra.

    groups: the settings that the verb heeds; UsageError for any other, and if there is no dataset.
    """
    paths = list(takewhile(_is_path, arguments))
    words = list(arguments[len(paths) :])
    if not paths:
        raise UsageError(f"{verb}: name a dataset first, as in `depthmask {verb} OUT output=OUT2`")
    for name in names(words):
        if name.partition(".")[0] not in (*groups, "hydra"):
            raise UsageError(
                f"{name}: {verb} has no use for it, the samples are there; "
                f"it heeds {', '.join(groups)}"
            )
    if {"-m", "--multirun"} & set(words):
        raise UsageError(f"{verb}: one dataset at a time, so without -m")
    return paths, words


def names(words: Sequence[str]) -> frozenset[str]:
    """Of the settings that are overridden, as `encode.depth`."""
    _, overrides = options_and_overrides(words)
    return frozenset(word.lstrip("+~").partition("=")[0].partition("@")[0] for word in overrides)


def _is_path(word: str) -> bool:
    return not word.startswith(("-", "+", "~")) and ("=" not in word or Path(word).exists())
