"""`assets.csv`: labels, heights, focal lengths, licences and metadata of assets."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TextIO, TypeAlias

import orjson

from depthmask.codec.metadata import plain_meta
from depthmask.data import MOST_HEIGHT_M, Meta
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


_COLUMNS = ("key", "label", "height_m", "f_px", "licence", "meta")
_SYNONYMS = {
    "license": "licence",
    "file": "key",
    "filename": "key",
    "name": "key",
    "height": "height_m",
    "height_cm": "height_m",
    "class": "label",
    "category": "label",
    "focal_length": "f_px",
    "focal_px": "f_px",
}
"""Names that people give to columns -> the column."""
_CLOSE = 0.8
"""The least ratio of likeness of two names of which one may be a typo of the other."""
_WITH_UNIT = re.compile(r"([0-9.,]+)\s*(m|cm|mm|metres?|meters?|px|pixels?)", re.IGNORECASE)
_DIVISORS = {"cm": 100, "mm": 1000}
"""Unit -> how many of it are a metre."""
_MOST_CM = 500
"""Greater heights are taken for millimetres."""
_GREAT_HEIGHT_M = 3
"""Greater heights are possible, and rare in rooms; a cup of 12 cm is not 12 m tall."""
_MOST_NAMED = 5
"""The most cut-outs in a note."""
_NO_ROWS = "has no rows below the names of the columns"
_WORKBOOKS = (b"PK\3\4", b"\xd0\xcf\x11\xe0")
"""The first bytes of .xlsx and .ods files, and of .xls files."""
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
    """rows: key of the asset -> its row. bad_rows: those that cannot be used, in their order.

    notes: what is most likely not meant, but is no fault.
    """

    rows: Mapping[str | None, AssetRow] = field(default_factory=dict)
    bad_rows: Sequence[BadRow] = ()
    notes: Sequence[str] = ()

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
        raise UsageError(
            f"{path}: cannot be read as UTF-8 CSV ({_problem(path, error)}); save it in the format "
            "CSV UTF-8"
        ) from None
    if rows and "key" not in rows[0]:
        raise UsageError(f"{path}: no column named key in its first line{_header_hint(rows[0])}")
    good: dict[str | None, AssetRow] = {}
    bad = []
    for number, row in enumerate(rows, 1):
        try:
            good[row["key"]] = _asset_row(row, number)
        except UsageError as error:
            bad.append(BadRow(row["key"], number, str(error)))
    notes = [*_unused_columns(rows), *_repeated_keys(rows), *_great_heights(good)]
    return AssetTable(good, bad, notes if rows else [_NO_ROWS])


def _problem(path: Path, error: Exception) -> str:
    """Why a file is no text in UTF-8."""
    is_workbook = path.read_bytes().startswith(_WORKBOOKS)
    return "it is a workbook of a spreadsheet program" if is_workbook else str(error)


def _header_hint(first: Row) -> str:
    """What is most likely wrong with a header that has no column `key`."""
    columns = [column for column in first if column]
    header = columns[0] if columns else ""
    marks = {";": "semicolons", "\t": "tabs"}
    if used := [name for mark, name in marks.items() if mark in header]:
        return f"; its columns are separated by {used[0]}: save it with commas"
    meant = [column for column in columns if _column_meant(column) == "key"]
    return f"; rename the column {meant[0]!r} to key" if meant else ""


def _unused_columns(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a note for each column that is not used and has nearly the name of one that is."""
    columns = [column for column in rows[0] if column] if rows else []
    for column in columns:
        meant = _column_meant(column)
        if meant and meant not in columns:
            yield f"column {column!r} is not used; did you mean {meant!r}?"


def _column_meant(column: str) -> str | None:
    """The column that a name stands for, with other case and marks or a typo."""
    plain = column.strip().casefold().replace(" ", "_").replace("-", "_")
    close = get_close_matches(plain, _COLUMNS, 1, _CLOSE)
    return _SYNONYMS.get(plain) or (close[0] if close else None)


def _repeated_keys(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a note for each key that has several rows."""
    for key, count in Counter(row["key"] for row in rows).items():
        if count > 1:
            yield f"{key} has {count} rows; the last one that can be used counts"


def _great_heights(rows: Mapping[str | None, AssetRow]) -> Iterator[str]:
    """Yield a note about cut-outs so tall that their heights may be centimetres."""
    heights = {key: row.height_m for key, row in rows.items() if row.height_m is not None}
    great = [f"{key} {one:g}" for key, one in heights.items() if one > _GREAT_HEIGHT_M]
    if great:
        more = f" and {len(great) - _MOST_NAMED} more" if len(great) > _MOST_NAMED else ""
        yield (
            f"height_m is over {_GREAT_HEIGHT_M} metres: {', '.join(great[:_MOST_NAMED])}{more}; "
            "if these are centimetres, write metres (12 cm is 0.12)"
        )


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
    if surplus := [cell for cell in row.get(None) or () if cell]:
        raise UsageError(
            f"the row of {row['key']} has more cells than columns ({', '.join(surplus)}); write "
            "numbers with a point, 1.75, and texts with commas in double quotes"
        )
    return AssetRow(
        label=row.get("label") or "foreground",
        height_m=_height_m(row),
        f_px=_positive(row, "f_px", "pixels"),
        licence=_licence(row),
        meta=_meta(row),
        number=number,
    )


def _positive(row: Row, column: str, unit: str) -> float | None:
    """The number in a column; None if the cell is empty, `UsageError` if it is not positive."""
    text = row.get(column) or ""
    try:
        number = float(text) if text.strip() else None
    except ValueError:
        number = -1.0
    if number is not None and not 0 < number < math.inf:
        raise UsageError(
            f"{column}={text} of {row['key']} is not a number of {unit}{_number_hint(text)}"
        )
    return number


def _number_hint(text: str) -> str:
    """How to write a number that has a comma or a unit; empty if it is none."""
    has_unit = _WITH_UNIT.fullmatch(text.strip())
    digits = (has_unit[1] if has_unit else text.strip()).replace(",", ".")
    try:
        number = float(digits)
    except ValueError:
        return ""
    if not 0 < number < math.inf:
        return " above 0"
    if has_unit and (divisor := _DIVISORS.get(has_unit[2].lower())):
        return f"; write {number / divisor:g}"
    return f"; write {digits}"


def _height_m(row: Row) -> float | None:
    """The height in metres; `UsageError` for one that is most likely in another unit."""
    height_m = _positive(row, "height_m", "metres")
    if height_m is not None and height_m > MOST_HEIGHT_M:
        divisor, unit = (100, "cm") if height_m <= _MOST_CM else (1000, "mm")
        raise UsageError(
            f"height_m={row['height_m']} of {row['key']} is over {MOST_HEIGHT_M:g} metres; "
            f"{height_m:g} {unit} is {height_m / divisor:g}"
        )
    return height_m


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
