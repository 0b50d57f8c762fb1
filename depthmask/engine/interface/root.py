"""Makes the root of a run from what a caller gives: overrides, a mapping, or a root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, TypeAlias

from depthmask.config.compose import compose_root
from depthmask.config.mapping import words_and_mappings
from depthmask.config.options import check_options, refuse_accidents, refuse_folders_of_hydra
from depthmask.config.root import Root
from depthmask.errors import UsageError
from depthmask.storage.location import refuse_passwords
from depthmask.storage.path import StorePath

Output: TypeAlias = str | PathLike[str] | StorePath | None
"""The folder of a dataset, if the caller names one."""
Words: TypeAlias = tuple[list[str], Mapping[str, Any]]
"""The words of a command line, and values that no word can express (see `words_and_mappings`)."""


def root_of(
    function: str, config: Sequence[str] | Mapping[str, Any] | Root, output: Output
) -> Root:
    """The root of a run; raises `UsageError` for a bad setting. The parameters: see `words_of`."""
    if isinstance(config, Root):
        return config if output is None else replace(config, output=str(output))
    return composed(*words_of(function, config, output))


def words_of(function: str, config: Sequence[str] | Mapping[str, Any], output: Output) -> Words:
    """The words of a command line for the settings.

    function: the name of the caller's function, for messages. output: takes the place of the
    setting, unless it is None.
    """
    folder = {} if output is None else {"output": str(output)}
    if isinstance(config, Mapping):
        return words_and_mappings({**config, **folder})
    if isinstance(config, str) or not isinstance(config, Sequence):
        example = config.split() if isinstance(config, str) else ["samples=100"]
        raise UsageError(f"{function}({config!r}): settings must be a list: {example}")
    if texts := [word for word in config if not isinstance(word, str)]:
        raise UsageError(f"{function}: {texts[0]!r} is no text such as 'samples=100'")
    return [*config, *words_and_mappings(folder)[0]], {}


def composed(words: list[str], mappings: Mapping[str, Any]) -> Root:
    """The root of a run with these words, checked as the command checks them."""
    for word in words:
        refuse_passwords(word)
        refuse_accidents(word)
    check_options(words)
    refuse_folders_of_hydra(words)
    return compose_root(words, mappings)
