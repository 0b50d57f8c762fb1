"""Reads JSON of unknown origin: bounded, and with NaN where a writer left it."""

from __future__ import annotations

import json
import reprlib
from pathlib import Path
from typing import Any

import orjson
from depthmask import UsageError, is_one_line

MOST_BYTES = 1 << 30
"""The most bytes of a file with annotations; those of COCO's 118,000 training images have 0.47 GB,
of which reading takes seven times as much memory."""
_LONGEST_NAME = 200
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict = 2, 4, 3
_SHORT.maxstring = _SHORT.maxother = 60
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NO_NUMBERS = (b"NaN", b"Infinity")


def load_json(path: Path, data: bytes) -> Any:
    """The value in a JSON file; raises `UsageError`, which names it.

    NaN and infinity, which are no JSON, but which Python writes, are read as such.
    """
    data = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if not any(one in data for one in _NO_NUMBERS):
            raise UsageError(f"{path}: no JSON ({_in_short(error)}); replace it") from None
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no JSON ({_in_short(error)}); replace it") from None


def shown(value: object) -> str:
    """A value of a file of unknown origin, for a message: one line, short, visible."""
    return _SHORT.repr(value).encode("ascii", "backslashreplace").decode()


def printable(name: str) -> str:
    """A name of a file of unknown origin, for a message."""
    text = name if is_one_line(name) else ascii(name)[1:-1]
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}..."


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
