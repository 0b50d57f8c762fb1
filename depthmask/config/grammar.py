"""Writes values in Hydra's grammar, https://hydra.cc/docs/advanced/override_grammar/basic/."""

from __future__ import annotations

import re
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

from depthmask.config.literal import literal

_PLAIN = re.compile(r"[A-Za-z_/][\w./:-]*", re.ASCII)
"""Texts that Hydra accepts without quotes, except `_RESERVED`."""
_KEY = re.compile(r"[\w\\()\[\]{}:=, \t/.*+%$?@|-]+", re.ASCII)
"""Keys of mappings that Hydra accepts, with escapes."""
_RESERVED = ("true", "false", "null", "inf", "nan", "yes", "no", "on", "off")


class NotInGrammarError(Exception):
    """Hydra's grammar cannot express a value."""


def text_of(value: Any) -> str:
    """Plain data as text after the `=` of an override."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(text_of, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_key(key)}:{text_of(item)}' for key, item in value.items())}}}"
    if isinstance(value, str) and not (_PLAIN.fullmatch(value) and value.lower() not in _RESERVED):
        return QuotedString(literal(value), Quote.single).with_quotes()
    return str(value)


def _key(key: str) -> str:
    """The key as text, in which Hydra allows escapes but no quotes."""
    if not _KEY.fullmatch(key):
        raise NotInGrammarError
    return re.sub(r"([\\()\[\]{}:=, \t])", r"\\\1", key)
