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
from depthmask.stage.calls import described
from depthmask.storage.location import path_text, refuse_passwords
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
        return config if output is None else replace(config, output=path_text(output))
    return composed(*words_of(function, config, output))


def words_of(function: str, config: Sequence[str] | Mapping[str, Any], output: Output) -> Words:
    """The words of a command line for the settings.

    function: the name of the caller's function, for messages. output: takes the place of the
    setting, unless it is None.
    """
    folder = {} if output is None else {"output": path_text(output)}
    last, _ = words_and_mappings(folder)
    if isinstance(config, Mapping):
        words, mappings = words_and_mappings(config)
        return [*words, *last], mappings
    if isinstance(config, str):
        raise UsageError(f"{function}({config!r}): settings must be a list: {config.split()}")
    if not isinstance(config, Sequence):
        raise UsageError(
            f"{function}({described(config)}): settings must be a list, ['samples=100'], or a "
            "mapping, {'samples': 100}"
        )
    if texts := [word for word in config if not isinstance(word, str)]:
        raise UsageError(f"{function}: {texts[0]!r} is no text such as 'samples=100'")
    return [*config, *last], {}


def composed(words: list[str], mappings: Mapping[str, Any]) -> Root:
    """The root of a run with these words, checked as the command checks them."""
    for word in words:
        refuse_passwords(word)
        refuse_accidents(word)
    check_options(words)
    refuse_folders_of_hydra(words)
    return compose_root(words, mappings)
