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

Config: TypeAlias = Sequence[str] | Mapping[str, Any] | Root
"""Settings: overrides as on the command line, values by name, or the root of a run."""

Output: TypeAlias = str | PathLike[str] | StorePath | None
"""The folder of a dataset, if the caller names one."""


def root_of(function: str, config: Config, output: str | PathLike[str] | StorePath | None) -> Root:
    """The root of a run; raises `UsageError` for a bad setting.

    function: the name of the caller's function, for messages. output: takes the place of the
    setting, unless it is None.
    """
    folder = None if output is None else str(output)
    if isinstance(config, Root):
        return config if folder is None else replace(config, output=folder)
    words, mappings = _words(function, config)
    if folder is not None:
        words += words_and_mappings({"output": folder})[0]
    for word in words:
        refuse_passwords(word)
        refuse_accidents(word)
    check_options(words)
    refuse_folders_of_hydra(words)
    return compose_root(words, mappings)


def _words(
    function: str, config: Sequence[str] | Mapping[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    if isinstance(config, Mapping):
        return words_and_mappings(config)
    if isinstance(config, str):
        raise UsageError(f"{function}({config!r}): settings must be a list: {config.split()}")
    return list(config), {}
