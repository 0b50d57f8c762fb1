"""Reads the lines of a table as spreadsheet programs write it."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from depthmask.errors import UsageError

_DELIMITERS = ",;\t"
"""Comma first: it wins in a line that has none of them. Excel writes semicolons in much of Europe,
and tabs as `Unicode Text`."""
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?[,;\t]*\s*')
"""What Excel writes and reads before the header to tell the delimiter."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WORKBOOKS = (b"PK\3\4", b"\xd0\xcf\x11\xe0")
"""The first bytes of .xlsx and .ods files, and of .xls files."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table, with its cells as texts. number: of its first line in the file, from 1."""

    number: int
    cells: Sequence[str]


def read_lines(path: Path, data: bytes) -> list[Line]:
    """The rows of a table with its header first, without blank ones.

    data: the content of the file: UTF-8 or, with a byte order mark, UTF-16, separated by commas,
    semicolons or tabs. Raises `UsageError`, which names the file, for another content.
    """
    try:
        # Spreadsheet programs put a byte order mark before UTF-8 as well.
        text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
        if "\0" in text:
            raise ValueError("it has bytes that are 0")
        return list(_lines(text))
    except (ValueError, csv.Error) as error:
        is_workbook = data.startswith(_WORKBOOKS)
        problem = "it is a workbook of a spreadsheet program" if is_workbook else error
        raise UsageError(
            f"{path}: cannot be read as UTF-8 CSV ({problem}); save it in the format CSV UTF-8"
        ) from None


def as_csv(*rows: Line) -> bytes:
    """Rows as UTF-8 with commas."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(row.cells for row in rows)
    return text.getvalue().encode()


def _lines(text: str) -> Iterator[Line]:
    file = io.StringIO(text, newline="")
    separator = _SEPARATOR_LINE.fullmatch(file.readline())
    if not separator:
        file.seek(0)
    rows = csv.reader(file, delimiter=separator[1] if separator else _delimiter(text))
    before = first = 1 if separator else 0
    for cells in rows:
        if any(map(str.strip, cells)):
            yield Line(before + 1, cells)
        # A cell in quotes may have several lines.
        before = first + rows.line_num


def _delimiter(text: str) -> str:
    """The delimiter that is most frequent in the first line that is not blank."""
    first = next(filter(str.strip, io.StringIO(text)), "")
    return max(_DELIMITERS, key=first.count)
