"""The columns of `assets.csv`, and the other names by which people call them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from operator import itemgetter

from depthmask.errors import UsageError

KEY, META = "key", "meta"
META_PREFIX = f"{META}."
"""`meta.NAME` is a column of texts, `meta` one of JSON objects."""
SPLIT = "split"
_NAMES = (KEY, "label", "height_m", "f_px", "licence", SPLIT, META)
_SYNONYMS = {
    "license": "licence",
    "file": KEY,
    "filename": KEY,
    "file_name": KEY,
    "name": KEY,
    "height": "height_m",
    "class": "label",
    "category": "label",
    "focal_px": "f_px",
    "focal_length_px": "f_px",
}
"""Names that people give to columns -> the column."""
_IN_OTHER_UNITS = {
    "height_cm": "height_m",
    "height_mm": "height_m",
    "focal_length": "f_px",
    "focal_mm": "f_px",
}
"""Names of columns that are not read, since their cells are, or may be, in other units."""
_CLOSE = 0.8
"""The least ratio of likeness of two names of which one may be a typo of the other."""
_MARKS = re.compile(r"[\W_]+")
_MOST_SHOWN, _LONGEST_SHOWN = 8, 40
"""The most columns in a message, and the most characters of each."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a header.

    positions: name of a column -> its position; at least `key`. notes: what is read by another
    name, and what is not read.
    """

    positions: Mapping[str, int]
    notes: Sequence[str]


def columns_of(header: Sequence[str]) -> Columns:
    """The columns of a header; `UsageError` without `key`, or if two may be the same column.

    A column with the exact name comes before one that differs in case, spaces and marks, and that
    before a synonym. A typo is noted, not read.
    """
    positions: dict[str, int] = {}
    for readings in zip(*map(_readings, header), strict=True):
        positions |= _positions(header, readings, positions)
    if KEY not in positions:
        raise UsageError(f"no column named {KEY} in {_quoted(header)}{_typo_of_key(header)}")
    renamed = {
        name: header[position]
        for name, position in sorted(positions.items(), key=itemgetter(1))
        if header[position] != name
    }
    return Columns(positions, list(_notes(header, positions, renamed)))


def without(columns: Columns, name: str, header: Sequence[str], reason: str) -> Columns:
    """The columns without one that means something else, which a note says."""
    cell = _shown(header[columns.positions[name]])
    positions = {one: place for one, place in columns.positions.items() if one != name}
    notes = [note for note in columns.notes if not note.startswith(f"column {cell} ")]
    return Columns(positions, [*notes, f"column {cell} is not used; {reason}"])


def _readings(cell: str) -> tuple[str | None, str | None, str | None]:
    """What a cell of the header means exactly, but for case and marks, and as a synonym."""
    bare = cell.strip()
    exact = cell if cell in _NAMES or cell.startswith(META_PREFIX) else None
    if bare.casefold().startswith(META_PREFIX):
        return exact, META_PREFIX + bare[len(META_PREFIX) :].strip(), None
    plain = _plain(cell)
    return exact, plain if plain in _NAMES else None, _SYNONYMS.get(plain)


def _positions(
    header: Sequence[str], readings: Sequence[str | None], known: Mapping[str, int]
) -> dict[str, int]:
    """The position of each column that is not known yet; `UsageError` if it has two."""
    positions: dict[str, int] = {}
    for position, name in enumerate(readings):
        if name is None or name in known or position in known.values():
            continue
        if name in positions:
            both = _quoted([header[positions[name]], header[position]], " and ")
            raise UsageError(f"two columns may be {name}: {both}; keep one of them")
        positions[name] = position
    return positions


def _notes(
    header: Sequence[str], positions: Mapping[str, int], renamed: Mapping[str, str]
) -> Iterator[str]:
    for name, cell in renamed.items():
        yield f"column {_shown(cell)} is read as {name}"
    others = []
    for position, cell in enumerate(header):
        if position in positions.values() or not cell.strip():
            continue
        meant = _meant(cell)
        if meant and meant not in positions:
            yield f"column {_shown(cell)} is not used; did you mean {meant!r}?"
        else:
            others.append(cell)
    if others:
        yield f"not used: {_quoted(others)}; a column meta.NAME goes into the JSON of samples"


def _meant(cell: str) -> str | None:
    """The column that a name which is not read may stand for."""
    plain = _plain(cell)
    close = get_close_matches(plain, _NAMES, 1, _CLOSE)
    return _IN_OTHER_UNITS.get(plain) or (close[0] if close else None)


def _typo_of_key(header: Sequence[str]) -> str:
    typo = next((cell for cell in header if _meant(cell) == KEY), None)
    return f"; rename the column {_shown(typo)} to {KEY}" if typo else ""


def _plain(cell: str) -> str:
    """`height_m` for `Height (m)`."""
    return _MARKS.sub("_", cell.casefold()).strip("_")


def _quoted(cells: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(cells) - _MOST_SHOWN} more" if len(cells) > _MOST_SHOWN else ""
    return between.join(map(_shown, cells[:_MOST_SHOWN])) + more


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= _LONGEST_SHOWN else f"{cell[:_LONGEST_SHOWN]}...")
