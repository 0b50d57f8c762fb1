"""`assets.csv`: labels, heights, focal lengths, licences and metadata of assets."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import orjson

from depthmask.codec.metadata import plain_meta
from depthmask.data import Meta
from depthmask.errors import UsageError


@dataclass(frozen=True, slots=True)
class AssetRow:
    """The row of an asset.

    label, height_m: label and real height of a cut-out. f_px: focal length of a background, in
    pixels of the file. licence: an SPDX identifier or the owner's text, of either. meta: free
    metadata of either, with keypoints in pixels of the file.
    """

    label: str = "foreground"
    height_m: float | None = None
    f_px: float | None = None
    licence: str | None = None
    meta: Meta | None = None


_META = "meta"
"""The column of metadata as JSON; `meta.NAME` is a column of texts. Others are not carried, since
tables have had columns of their owners' own before there was metadata."""
_LONGEST_LICENCE = 200
"""The most characters of a licence, which is a name or an address; whole texts belong in files."""

AssetTable: TypeAlias = dict[str, AssetRow]
"""Key of the asset -> its row."""


def read_table(path: Path) -> AssetTable:
    """The rows of the table, none without a file; `UsageError` if the table is invalid."""
    if not path.is_file():
        return {}
    try:
        # With or without the byte order mark that spreadsheets write.
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read as UTF-8 CSV ({error})") from None
    if rows and "key" not in rows[0]:
        raise UsageError(f"{path}: no column named key in its first line")
    return {
        row["key"]: AssetRow(
            label=row.get("label") or "foreground",
            height_m=_positive(path, row, "height_m", "metres"),
            f_px=_positive(path, row, "f_px", "pixels"),
            licence=_licence(path, row),
            meta=_meta(path, row),
        )
        for row in rows
    }


def _positive(path: Path, row: dict[str, str], column: str, unit: str) -> float | None:
    """The number in a column; None if the cell is empty, `UsageError` if it is not positive."""
    text = row.get(column) or ""
    try:
        number = float(text) if text else None
    except ValueError:
        number = -1.0
    if number is not None and not 0 < number < math.inf:
        raise UsageError(f"{path}: {column}={text} of {row['key']} is not a number of {unit}")
    return number


def _licence(path: Path, row: dict[str, str]) -> str | None:
    text = (row.get("licence") or "").strip()
    if len(text) > _LONGEST_LICENCE or not text.isprintable():
        raise UsageError(
            f"{path}: licence of {row['key']}: must be one line of up to {_LONGEST_LICENCE} "
            "characters, the name or the address of the licence"
        )
    return text or None


def _meta(path: Path, row: dict[str, str]) -> Meta | None:
    """The JSON in the column `meta`, and the texts in the columns `meta.NAME` over it."""
    owner = f"{path}: {row['key']}"
    try:
        from_json = orjson.loads(row.get(_META) or "{}")
    except ValueError as error:
        raise UsageError(f"{owner}: column meta is no JSON ({error})") from None
    if not isinstance(from_json, dict):
        raise UsageError(f'{owner}: column meta must be a JSON object, such as {{"page": 3}}')
    prefix = f"{_META}."
    texts = {
        column.removeprefix(prefix): cell
        for column, cell in row.items()
        # The key of surplus cells is None.
        if column and column.startswith(prefix) and cell
    }
    return plain_meta(from_json | texts, owner)
