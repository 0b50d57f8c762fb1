"""`assets.csv`: what is known of cut-outs beyond their pixels."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TypeAlias

from depthmask.errors import UsageError

Facts: TypeAlias = dict[str, tuple[str, float | None]]
"""Label and real height [m] by key."""


def read_facts(path: Path) -> Facts:
    """The rows of the table, none if there is no such file; UsageError where it is wrong."""
    if not path.is_file():
        return {}
    try:
        # With or without the byte order mark that spreadsheets put in front.
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read as UTF-8 CSV ({error})") from None
    if rows and "key" not in rows[0]:
        raise UsageError(f"{path}: no column named key in its first line")
    return {row["key"]: (row.get("label") or "foreground", _height(path, row)) for row in rows}


def _height(path: Path, row: dict[str, str]) -> float | None:
    text = row.get("height_m") or ""
    try:
        height = float(text) if text else None
    except ValueError:
        height = -1.0
    if height is not None and not 0 < height < math.inf:
        raise UsageError(f"{path}: height_m={text} of {row['key']} is not a number of metres")
    return height
