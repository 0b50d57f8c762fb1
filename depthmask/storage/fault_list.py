"""Names the files that cannot be used: the first in a message, all of many in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from depthmask.caching import cache_folder
from depthmask.errors import MOST_LISTED, UsageError, others_below

_LIST = "bad_files.txt"


def with_all_faults(message: str, faults: Sequence[object], way_on: str) -> str:
    """The message, and below it what is wrong with all files but the first, which it names.

    faults: what is wrong with each file, the first included. If they are many, a file in
    depthmask's cache has all of them. way_on: what to do where that cannot be written.
    """
    rest = _rest(faults, way_on) if len(faults) > MOST_LISTED else ""
    return f"{message}{others_below(faults[1:], rest)}"


def _rest(faults: Sequence[object], way_on: str) -> str:
    """Where to find all faults."""
    try:
        return f"{_written(faults)} has all of them"
    except (OSError, UsageError):
        return way_on


def _written(faults: Sequence[object]) -> Path:
    path = cache_folder() / _LIST
    path.parent.mkdir(parents=True, exist_ok=True)
    # A file may have a name that is no valid UTF-8.
    text = "".join(f"{fault}\n" for fault in faults)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path
