"""Reads settings from a mapping of Python, whose values become exactly those of the settings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from depthmask.config.build import STAGE
from depthmask.config.grammar import text_of
from depthmask.config.registry import KINDS
from depthmask.config.root import BLOCKS
from depthmask.errors import UsageError
from depthmask.stage.calls import described
from depthmask.stage.types import plain

_NAME = re.compile(r"\+{0,2}[A-Za-z_][\w/@-]*(\.[\w/@-]+)*", re.ASCII)
_SCALARS = (int, float, str)
_CHOICES = {(f"{kind}.", STAGE) for kind in KINDS}
"""Where the mapping of a group names the stage: `{"placement": {"stage": "ground"}}`."""


def words_and_mappings(settings: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The settings as words of a command line, and the values that no word can express.

    The words set the latter to something empty. Raises `UsageError` for a key that is no name, and
    for a value that no setting can have.
    """
    words, mappings = [], {}
    for name, value in _flat(_resolved(settings), ""):
        if _has_mapping(value):
            # A word has no quotes in keys, and is merged into the default.
            mappings[name.lstrip("+")] = value
            value = type(value)()
        words.append(f"{name}={text_of(value)}")
    return words, mappings


def _flat(settings: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    """Yield the name and the plain value of each setting; those of a group may be in a mapping."""
    for key, item in settings.items():
        if not isinstance(key, str) or not _NAME.fullmatch(key):
            raise UsageError(
                f"{key!r}: is no name of a setting; write names such as 'samples' or 'split.train'"
            )
        name = before.rstrip(".") if (before, key) in _CHOICES else f"{before}{key}"
        value = _resolved(item)
        if isinstance(value, Mapping) and name in (*KINDS, *BLOCKS):
            yield from _flat(value, f"{name}.")
        else:
            yield name, _plain(name, value)


def _resolved(value: Any) -> Any:
    """The value; a config of OmegaConf, as of a program with Hydra, as plain lists and mappings."""
    if not OmegaConf.is_config(value):
        return value
    try:
        return OmegaConf.to_container(value, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        text = str(error).partition("\n")[0]
        raise UsageError(f"{error.full_key or 'the config'}: {text}") from error


def _plain(name: str, value: Any) -> Any:
    """The value with the types that a config can have."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    value = plain(value)
    if isinstance(value, list):
        return [_plain(name, item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(name, item) for key, item in value.items()}
    if value is not None and not isinstance(value, _SCALARS):
        raise UsageError(
            f"{name}: {described(value)} cannot be a setting; give a number, a text, a path, True, "
            "False, None, or a list or a mapping of these"
        )
    return value


def _has_mapping(value: Any) -> bool:
    is_list = isinstance(value, list)
    return isinstance(value, dict) or (is_list and any(map(_has_mapping, value)))
