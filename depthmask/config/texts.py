"""Keeps texts that the command line reads as numbers: Hydra makes `1000.0` of `tag=1e3`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from enum import Enum
from types import NoneType
from typing import Any, get_args

from omegaconf import DictConfig, OmegaConf

from depthmask.stage.decorators import setting_types
from depthmask.stage.types import choices

_WORD = r"[\w.+-]+"
_SIMPLE = re.compile(_WORD, re.ASCII)
"""Texts without quotes, escapes, lists and interpolations."""
_LIST = re.compile(rf"\[{_WORD}(?:,{_WORD})*\]", re.ASCII)


def keep_texts(config: DictConfig, overrides: Sequence[str]) -> None:
    """Give texts, lists of texts and enums what stands on the command line.

    A sweep has read the values before, and a mapping keeps what Hydra reads; quotes help there.
    """
    words = (word.partition("=") for word in overrides)
    # The last word for a setting is the one that counts.
    last = {name.lstrip("+"): text.strip() for name, _, text in words}
    for name, text in last.items():
        if not _SIMPLE.fullmatch(text) and not _LIST.fullmatch(text):
            continue
        hint, value = _setting(config, name)
        if _SIMPLE.fullmatch(text) and _is_text(hint, text) and value is not None:
            OmegaConf.update(config, name, text)
        elif _LIST.fullmatch(text) and list[str] in (hint, *get_args(hint)):
            OmegaConf.update(config, name, text[1:-1].split(","))


def _setting(config: DictConfig, name: str) -> tuple[Any, Any]:
    """The type and the value of a setting in the config; (None, None) for anything else."""
    group, _, key = name.rpartition(".")
    parent = OmegaConf.select(config, group) if group else config
    cls = OmegaConf.get_type(parent)
    if not isinstance(parent, DictConfig) or not dataclasses.is_dataclass(cls):
        return None, None
    return setting_types(cls).get(key), parent.get(key)


def _is_text(hint: Any, text: str) -> bool:
    """Whether values of a type are texts, or those of an enum that has the text as a name."""
    options = [one for one in get_args(hint) or [hint] if one is not NoneType]
    if len(options) != 1:
        return False
    is_enum = isinstance(options[0], type) and issubclass(options[0], Enum)
    return options[0] is str or (is_enum and text in choices(options[0]))
