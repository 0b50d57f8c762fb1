"""Writes the message about files of assets that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from depthmask.caching import cache_folder
from depthmask.errors import MOST_LISTED, others_below

_HINT = "source.on_bad_asset=skip leaves out what cannot be used"
_LIST = "bad_assets.txt"


def refusal(faults: Sequence[object]) -> str:
    """The message about files that cannot be used: what is wrong with each, and what to do.

    faults: at least one. If they are many, a file in depthmask's cache has all of them.
    """
    rest = _rest(faults) if len(faults) > MOST_LISTED else ""
    return f"{faults[0]}; {_HINT}{others_below(faults[1:], rest)}"


def _rest(faults: Sequence[object]) -> str:
    """Where to find all faults."""
    try:
        return f"{_written(faults)} has all of them"
    except OSError:
        return f"dataset.json lists all of them with {_HINT.partition(' ')[0]}"


def _written(faults: Sequence[object]) -> Path:
    path = cache_folder() / _LIST
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{fault}\n" for fault in faults), encoding="utf-8")
    return path
