"""Keeps texts of the command line as they were typed: Hydra makes `1000.0` of `output=1e3`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from depthmask.config.explain.known import known_settings
from depthmask.stage.types import choices

TYPOGRAPHIC = str.maketrans(
    {
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2018\u2019\u201a\u00b4", "'"),
        **dict.fromkeys("\u2010\u2011\u2212", "-"),
        **dict.fromkeys("\u2013\u2014", "--"),
        "\u00a0": " ",
        "\uff1d": "=",
    }
)
"""Characters that word processors and web pages put for those of the command line."""
_CHAR = r"""[^\s,'"()\[\]{}\\$=]"""
_ITEM = re.compile(
    r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|"""
    rf"(?:^|(?<=[,(\[]))\s*({_CHAR}+(?:\s+{_CHAR}+)*)\s*(?=$|[,)\]])"
)
"""A text in quotes, or one value without any: alone, or one of a list or of a sweep."""
_OTHER = re.compile(
    r"true|false|null|(?!(0|[1-9]\d*)$)[+-]?(nan|inf|([\d_]+\.?[\d_]*|\.[\d_]+)(e[+-]?[\d_]+)?)",
    re.IGNORECASE,
)
"""What Hydra reads as another value than a text."""
_OF_FILES = ("preset", "experiment")
"""Config groups whose values are names of files; `null` chooses none."""
_CALL = re.compile(r"(?!(choice|shuffle|sort)\()[^'\"\[]*\(")
"""A function whose values are no items of a sweep, such as `range(1,4)`; or a text with one."""


def keep_texts(words: Sequence[str]) -> list[str]:
    """The overrides, with quotes around each value of a text that Hydra would not read as one.

    Those are numbers and the like, `~`, and letters outside ASCII. A path is such a text, and so is
    the name of a choice.
    """
    return [_kept(word, words) for word in words]


def _kept(word: str, words: Sequence[str]) -> str:
    name, equals, value = word.partition("=")
    name = name.lstrip("+")
    is_odd = _is_odd_name if name in _OF_FILES else _is_odd
    if not equals or _CALL.match(value) or not any(map(is_odd, _ITEM.findall(value))):
        return word
    hints = _hints(name, words)

    def quoted(match: re.Match[str]) -> str:
        item = match[1]
        is_text = item and is_odd(item) and hints and all(_is_text(hint, item) for hint in hints)
        return match[0].replace(item, f"'{item}'") if is_text else match[0]

    return f"{word.partition('=')[0]}={_ITEM.sub(quoted, value)}"


def _is_odd(item: str) -> bool:
    """Whether Hydra reads something else, or refuses the item."""
    is_beyond = not item.isascii() and item.translate(TYPOGRAPHIC) == item
    return is_beyond or "~" in item or _OTHER.fullmatch(item) is not None


def _is_odd_name(item: str) -> bool:
    """The same for the name of a file, which is no number at all."""
    return _is_odd(item) or item.isdecimal()


def _hints(name: str, words: Sequence[str]) -> list[Any]:
    """The types of a setting: that of the chosen stage, or those of all stages that have it."""
    if name in _OF_FILES:
        return [str | None]
    settings = [one for one in known_settings() if one.name == name]
    return [one.hint for one in settings if one.choice in words] or [one.hint for one in settings]


def _is_text(hint: Any, item: str) -> bool:
    """Whether values of a type are texts, or lists of texts; of an enum, whether it has the item.

    `null` is none of a text that may be missing.
    """
    options = get_args(hint) if NoneType in get_args(hint) else (hint,)
    if item.lower() == "null" and NoneType in options:
        return False
    kinds = [one for one in options if one is not NoneType]
    if len(kinds) != 1:
        return False
    is_enum = isinstance(kinds[0], type) and issubclass(kinds[0], Enum)
    return kinds[0] in (str, Path, list[str], list[Path]) or (is_enum and item in choices(kinds[0]))
