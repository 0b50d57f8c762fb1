"""`assets.csv`: labels, heights, focal lengths, licences and metadata of assets."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import orjson

from depthmask.codec.metadata import plain_meta
from depthmask.data import MOST_HEIGHT_M, Meta
from depthmask.errors import UsageError
from depthmask.plan.shares import NAMES
from depthmask.stages.source._columns import (
    KEY,
    META,
    META_PREFIX,
    SPLIT,
    Columns,
    columns_of,
    without,
)
from depthmask.stages.source._csv import Line, as_csv, read_lines
from depthmask.untrusted import is_one_line


@dataclass(frozen=True, slots=True)
class AssetRow:
    """The row of an asset.

    label, height_m: label, if it has one, and real height of a cut-out. f_px: focal length of a
    background, in pixels of the file. licence: an SPDX identifier or the owner's text, of either.
    split: the one split whose samples may have the picture. meta: free metadata of either, with
    keypoints in pixels of the file. line: in the file, from 1.
    """

    label: str | None = None
    height_m: float | None = None
    f_px: float | None = None
    licence: str | None = None
    split: str | None = None
    meta: Meta | None = None
    line: int = 0


_NO_ROW = AssetRow()
_WITH_UNIT = re.compile(r"([0-9.,]+)\s*(m|cm|mm|metres?|meters?|px|pixels?)", re.IGNORECASE)
_DIVISORS = {"cm": 100, "mm": 1000}
"""Unit -> how many of it are a metre."""
_MOST_CM = 500
"""Greater heights are taken for millimetres."""
_GREAT_HEIGHT_M = 3
"""Greater heights are possible, and rare in rooms; a cup of 12 cm is not 12 m tall."""
_MOST_NAMED = 5
"""The most cut-outs in a note."""
_SPREADSHEET_ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!"}
)
"""What spreadsheet programs write for a formula without a value."""
_SPLITS = {
    **{name: name for name in NAMES},
    "training": "train",
    "valid": "val",
    "validation": "val",
    "testing": "test",
}
"""What people write, in small letters -> the split."""
_NO_ROWS = "has no rows below the names of the columns"
_LONGEST_LICENCE = 200
"""The most characters of a licence, which is a name or an address; whole texts belong in files."""

Row: TypeAlias = Mapping[str, str]
"""Column -> cell, without spaces around it; a short row lacks its last columns."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used. key: empty if it has none. line: in the file, from 1."""

    key: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class AssetTable:
    """rows: `table_key` of the asset -> its row. bad_rows: those that cannot be used, in order.

    notes: what is most likely not meant, but is no fault. content: of the file, None without one.
    """

    rows: Mapping[str, AssetRow] = field(default_factory=dict)
    bad_rows: Sequence[BadRow] = ()
    notes: Sequence[str] = ()
    content: bytes | None = None

    def row(self, key: str) -> AssetRow:
        """The row of an asset, an empty one if there is none."""
        return self.rows.get(table_key(key), _NO_ROW) if self.rows else _NO_ROW


def table_key(text: str) -> str:
    """The key of a row for the name of a picture: as people see it, in one spelling of accents."""
    return unicodedata.normalize("NFC", text).strip()


def read_table(path: Path, data: bytes | None) -> AssetTable:
    """The rows of a table, none without a content; `UsageError` if it is no such table."""
    if data is None:
        return AssetTable()
    header, *lines = read_lines(path, data) or [Line(1, ())]
    if not lines:
        return AssetTable(notes=[_NO_ROWS], content=data)
    try:
        columns = _with_split(columns_of(header.cells), header, lines)
    except UsageError as error:
        raise UsageError(f"{path}: line {header.number}: {error}") from None
    good: dict[str, AssetRow] = {}
    bad = []
    for line in lines:
        row = _cells(line, columns)
        try:
            good[row[KEY]] = _asset_row(line, row, len(header.cells))
        except UsageError as error:
            bad.append(BadRow(row[KEY], line.number, str(error)))
    notes = [*columns.notes, *_repeated_keys(lines, columns), *_great_heights(good)]
    return AssetTable(good, bad, notes, data)


def _cells(line: Line, columns: Columns) -> Row:
    cells = {
        name: line.cells[position].strip()
        for name, position in columns.positions.items()
        if position < len(line.cells)
    }
    return cells | {KEY: table_key(cells.get(KEY, ""))}


def _repeated_keys(lines: Sequence[Line], columns: Columns) -> Iterator[str]:
    """Yield a note for each key that has several rows."""
    numbers = defaultdict(list)
    for line in lines:
        numbers[_cells(line, columns)[KEY]].append(f"{line.number}")
    for key, several in numbers.items():
        if key and len(several) > 1:
            yield f"{key} is in lines {', '.join(several)}; the last one that can be used counts"


def _great_heights(rows: Mapping[str, AssetRow]) -> Iterator[str]:
    """Yield a note about cut-outs so tall that their heights may be centimetres."""
    heights = {key: row.height_m for key, row in rows.items() if row.height_m is not None}
    great = [f"{key} {one:g}" for key, one in heights.items() if one > _GREAT_HEIGHT_M]
    if great:
        more = f" and {len(great) - _MOST_NAMED} more" if len(great) > _MOST_NAMED else ""
        yield (
            f"height_m is over {_GREAT_HEIGHT_M} metres: {', '.join(great[:_MOST_NAMED])}{more}; "
            "if these are centimetres, write metres (12 cm is 0.12)"
        )


def rows_as_csv(path: Path, data: bytes, numbers: Iterable[int]) -> Iterator[bytes]:
    """Yield the rows at these lines of a table, each below the line with the columns."""
    header, *lines = read_lines(path, data)
    by_number = {line.number: line for line in lines}
    for number in numbers:
        yield as_csv(header, by_number[number])


def _asset_row(line: Line, row: Row, columns: int) -> AssetRow:
    """The row with its cells as values; `UsageError` for a cell that cannot be used."""
    if not row[KEY]:
        raise UsageError("no key; write the name of the picture in the column key")
    if surplus := [cell for cell in line.cells[columns:] if cell.strip()]:
        raise UsageError(
            f"the row of {row[KEY]} has more cells than columns ({', '.join(surplus)}); write "
            "numbers with a point, 1.75, and texts with commas in double quotes"
        )
    return AssetRow(
        label=_label(row),
        height_m=_height_m(row),
        f_px=_positive(row, "f_px", "pixels"),
        licence=_licence(row),
        split=_split(row),
        meta=_meta(row),
        line=line.number,
    )


def _label(row: Row) -> str | None:
    text = row.get("label", "")
    if not is_one_line(text) or text in _SPREADSHEET_ERRORS:
        raise UsageError(
            f"label of {row[KEY]}: must be one line of text; look for a quotation mark without its "
            "pair, or a formula that has failed"
        )
    return text or None


def _split(row: Row) -> str | None:
    text = row.get(SPLIT, "")
    if text and text.casefold() not in _SPLITS:
        raise UsageError(f"split={text} of {row[KEY]} is none of {', '.join(NAMES)}")
    return _SPLITS[text.casefold()] if text else None


def _with_split(columns: Columns, header: Line, lines: Sequence[Line]) -> Columns:
    """The columns without `split` if no cell of it names a split: it means something else."""
    cells = {_cells(line, columns).get(SPLIT, "").casefold() for line in lines} - {""}
    if SPLIT not in columns.positions or not cells or cells & _SPLITS.keys():
        return columns
    return without(columns, SPLIT, header.cells, f"none of its cells is {', '.join(NAMES)}")


def _positive(row: Row, column: str, unit: str) -> float | None:
    """The number in a column; None if the cell is empty, `UsageError` if it is not positive."""
    text = row.get(column, "")
    try:
        number = _number(text) if text else None
    except ValueError:
        number = -1.0
    if number is not None and not 0 < number < math.inf:
        raise UsageError(
            f"{column}={text} of {row[KEY]} is not a number of {unit}{_number_hint(text)}"
        )
    return number


def _number(text: str) -> float:
    """The number of a cell; `ValueError` if it is none, also for 1_0, which Python reads as 10."""
    if "_" in text:
        raise ValueError
    return float(text)


def _number_hint(text: str) -> str:
    """How to write a number that has a comma or a unit; empty if it is none."""
    has_unit = _WITH_UNIT.fullmatch(text)
    digits = (has_unit[1] if has_unit else text).replace(",", ".")
    try:
        number = _number(digits)
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
            f"height_m={row['height_m']} of {row[KEY]} is over {MOST_HEIGHT_M:g} metres; "
            f"{height_m:g} {unit} is {height_m / divisor:g}"
        )
    return height_m


def _licence(row: Row) -> str | None:
    text = row.get("licence", "")
    if len(text) > _LONGEST_LICENCE or not is_one_line(text):
        raise UsageError(
            f"licence of {row[KEY]}: must be one line of up to {_LONGEST_LICENCE} characters, "
            "the name or the address of the licence"
        )
    return text or None


def _meta(row: Row) -> Meta | None:
    """The JSON in the column `meta`, and the texts in the columns `meta.NAME` over it."""
    owner = row[KEY]
    try:
        from_json = orjson.loads(row.get(META) or "{}")
    except ValueError as error:
        raise UsageError(f"{owner}: column meta is no JSON ({error})") from None
    if not isinstance(from_json, dict):
        raise UsageError(f'{owner}: column meta must be a JSON object, such as {{"page": 3}}')
    texts = {
        column.removeprefix(META_PREFIX): cell
        for column, cell in row.items()
        if column.startswith(META_PREFIX) and cell
    }
    return plain_meta(from_json | texts, owner)
