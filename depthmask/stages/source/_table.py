"""`assets.csv`: labels, heights, focal lengths, licences and metadata of assets."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeAlias

import orjson

from depthmask.codec.metadata import plain_meta
from depthmask.data import Meta
from depthmask.errors import UsageError


@dataclass(frozen=True, slots=True)
class AssetRow:
    """The row of an asset.

    label, height_m: label and real height of a cut-out. f_px: focal length of a background, in
    pixels of the file. licence: an SPDX identifier or the owner's text, of either. meta: free
    metadata of either, with keypoints in pixels of the file. number: of the row, 1 for the first
    below the names of the columns.
    """

    label: str = "foreground"
    height_m: float | None = None
    f_px: float | None = None
    licence: str | None = None
    meta: Meta | None = None
    number: int = 0


_META = "meta"
"""The column of metadata as JSON; `meta.NAME` is a column of texts. Others are not carried, since
tables have had columns of their owners' own before there was metadata."""
_LONGEST_LICENCE = 200
"""The most characters of a licence, which is a name or an address; whole texts belong in files."""


Row: TypeAlias = Mapping[Any, Any]
"""Column -> cell; the key of surplus cells is None."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used. key: None if the row is too short to have one."""

    key: str | None
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class AssetTable:
    """rows: key of the asset -> its row. bad_rows: those that cannot be used, in their order."""

    rows: Mapping[str | None, AssetRow] = field(default_factory=dict)
    bad_rows: Sequence[BadRow] = ()

    def row(self, key: str) -> AssetRow:
        """The row of an asset, an empty one if there is none."""
        return self.rows.get(key, AssetRow())


def read_table(path: Path) -> AssetTable:
    """The rows of the table, none without a file; `UsageError` if it is no such table."""
    if not path.is_file():
        return AssetTable()
    try:
        with _opened(path) as file:
            rows = list(csv.DictReader(file))
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read as UTF-8 CSV ({error})") from None
    if rows and "key" not in rows[0]:
        raise UsageError(f"{path}: no column named key in its first line")
    good: dict[str | None, AssetRow] = {}
    bad = []
    for number, row in enumerate(rows, 1):
        try:
            good[row["key"]] = _asset_row(row, number)
        except UsageError as error:
            bad.append(BadRow(row["key"], number, str(error)))
    return AssetTable(good, bad)


def rows_as_csv(path: Path, numbers: Iterable[int]) -> Iterator[bytes]:
    """Yield rows of a table that `read_table` has read, each below the line with the columns."""
    with _opened(path) as file:
        rows = [row for row in csv.reader(file) if row]
    for number in numbers:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([rows[0], rows[number]])
        yield text.getvalue().encode()


def _opened(path: Path) -> TextIO:
    # With or without the byte order mark that spreadsheets write.
    return path.open(newline="", encoding="utf-8-sig")


def _asset_row(row: Row, number: int) -> AssetRow:
    """The row with its cells as values; `UsageError` for a cell that cannot be used."""
    return AssetRow(
        label=row.get("label") or "foreground",
        height_m=_positive(row, "height_m", "metres"),
        f_px=_positive(row, "f_px", "pixels"),
        licence=_licence(row),
        meta=_meta(row),
        number=number,
    )


def _positive(row: Row, column: str, unit: str) -> float | None:
    """The number in a column; None if the cell is empty, `UsageError` if it is not positive."""
    text = row.get(column) or ""
    try:
        number = float(text) if text else None
    except ValueError:
        number = -1.0
    if number is not None and not 0 < number < math.inf:
        raise UsageError(f"{column}={text} of {row['key']} is not a number of {unit}")
    return number


def _licence(row: Row) -> str | None:
    text = (row.get("licence") or "").strip()
    if len(text) > _LONGEST_LICENCE or not text.isprintable():
        raise UsageError(
            f"licence of {row['key']}: must be one line of up to {_LONGEST_LICENCE} characters, "
            "the name or the address of the licence"
        )
    return text or None


def _meta(row: Row) -> Meta | None:
    """The JSON in the column `meta`, and the texts in the columns `meta.NAME` over it."""
    owner = str(row["key"])
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
        if column and column.startswith(prefix) and cell
    }
    return plain_meta(from_json | texts, owner)
