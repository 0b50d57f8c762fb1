"""Which row of `assets.csv` is that of a picture: by its key, its file name, or its path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from depthmask.stages.source._folders import FOLDERS
from depthmask.stages.source._formats import ASSET_SUFFIXES
from depthmask.stages.source._table import AssetRow, AssetTable, BadRow, table_key

Asset: TypeAlias = tuple[str, str]
"""(folder, key) of a picture."""


@dataclass(frozen=True, slots=True)
class PictureName:
    """A picture. folder: `bg` or `fg`. parent: the name of that folder. suffix: as in the file."""

    folder: str
    key: str
    parent: str
    suffix: str

    @property
    def asset(self) -> Asset:
        """(folder, key)."""
        return self.folder, self.key

    @property
    def other_names(self) -> Iterator[str]:
        """Yield the names of the picture but its key, the more exact ones first."""
        key, suffix = table_key(self.key), self.suffix.lower()
        for folder in dict.fromkeys((self.parent, self.folder)):
            yield f"{folder}/{key}{suffix}"
            yield f"{folder}/{key}"
        yield f"{key}{suffix}"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table, by picture.

    aliases: picture -> the key of its row, where that is another name of the picture. unknown: keys
    of rows without a picture, sorted. notes: pictures that have rows by several names.
    """

    table: AssetTable
    aliases: Mapping[Asset, str] = field(default_factory=dict)
    unknown: Sequence[str] = ()
    notes: Sequence[str] = ()

    def of(self, folder: str, key: str) -> AssetRow:
        """The row of a picture, an empty one if there is none."""
        return self.table.row(self.aliases.get((folder, key), key))

    def bad(self, folder: str, key: str) -> BadRow | None:
        """The row of a picture that cannot be used, the first of several."""
        name = table_key(self.aliases.get((folder, key), key))
        return next((row for row in self.table.bad_rows if row.key == name), None)


def rows_of(table: AssetTable, pictures: Iterable[PictureName]) -> Rows:
    """The rows of pictures. A row with the key of any picture is a row of no other."""
    keys = {*table.rows, *(row.key for row in table.bad_rows)}
    pictures = list(pictures) if keys else []
    exact = {table_key(one.key) for one in pictures}
    others = {plain_name(key): key for key in keys - exact}
    aliases: dict[Asset, str] = {}
    named: dict[str, list[str]] = defaultdict(list)
    for picture in pictures if others else ():
        rows = [others[name] for name in picture.other_names if name in others]
        if rows:
            aliases[picture.asset] = rows[0]
            own = [table_key(picture.key)] if table_key(picture.key) in keys else []
            named[" and ".join([*rows, *own])] += rows
    taken = {row for rows in named.values() for row in rows}
    notes = [
        f"{names} are rows of one picture; the first counts" for names in named if " and " in names
    ]
    return Rows(table, aliases, sorted((keys - exact - taken) & table.rows.keys()), notes)


def plain_name(key: str) -> str:
    """The key of a row as `PictureName.other_names` spell it.

    Slashes are those of the file system, and the suffix is in small letters.
    """
    name = key.replace("\\", "/").removeprefix("./")
    suffix = Path(name).suffix
    is_of_picture = suffix.lower() in ASSET_SUFFIXES
    return f"{name.removesuffix(suffix)}{suffix.lower()}" if is_of_picture else name


def picture_names(names: Mapping[str, str], files: Iterable[tuple[str, str]]) -> list[PictureName]:
    """The pictures of the folders of pictures.

    names: folder -> its name in the root. files: (folder, name in the folder) of each.
    """
    return [
        PictureName(folder, name[: len(name) - len(Path(name).suffix)], names[folder], suffix)
        for folder, name in files
        if folder == FOLDERS[folder]
        for suffix in (Path(name).suffix,)
    ]
