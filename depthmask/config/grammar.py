"""Writes values in Hydra's grammar, https://hydra.cc/docs/advanced/override_grammar/basic/."""

from __future__ import annotations

import re
from typing import Any

from depthmask.storage.shell import text_value

_KEY = re.compile(r"[\w\\()\[\]{}:=, \t/.*+%$?@|-]+", re.ASCII)
"""Keys of mappings that Hydra accepts, with escapes."""


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
    return text_value(value) if isinstance(value, str) else str(value)


def _key(key: str) -> str:
    """The key as text, in which Hydra allows escapes but no quotes."""
    if not _KEY.fullmatch(key):
        raise NotInGrammarError
    return re.sub(r"([\\()\[\]{}:=, \t])", r"\\\1", key)
