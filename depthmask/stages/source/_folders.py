"""The folders of a root by what they hold: `bg/` and `fg/`, or the usual other names of these."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from depthmask.stages.source._names import usual_meaning

FOLDERS = {"bg": "bg", "fg": "fg", "fg_mask": "fg", "bg_depth": "bg"}
"""Folder -> the folder of the pictures to which its files belong by name."""
_BY_USUAL_NAMES = ("bg", "fg", "fg_mask")
"""The folders that may have another name. `depth/` is not read by that name alone: its files may be
pictures of depth to look at."""


def folder_names(entries: Iterable[str]) -> dict[str, str]:
    """The name of each of `FOLDERS` among the entries of a root, its own where no other is meant.

    A usual name is taken where `entries` have no folder of the name itself, and only one of these.
    """
    others: dict[str | None, list[str]] = defaultdict(list)
    entries = set(entries)
    for name in entries:
        others[usual_meaning(name)].append(name)
    return {
        folder: others[folder][0]
        if folder in _BY_USUAL_NAMES and folder not in entries and len(others[folder]) == 1
        else folder
        for folder in FOLDERS
    }


def key_of(name: str) -> str:
    """The key of a picture: its path in its folder without the suffix. name: with the suffix."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and stem and "/" not in suffix else name


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders below a root. names: folder -> its name in the root, such as `backgrounds`."""

    root: Path
    names: Mapping[str, str]

    @classmethod
    def of_root(cls, root: Path) -> Folders:
        """The folders that a root has now."""
        names = os.listdir(root) if root.is_dir() else []
        return cls(root, folder_names(name for name in names if (root / name).is_dir()))

    @classmethod
    def of_files(cls, root: Path, files: Iterable[str]) -> Folders:
        """The folders of files by their names below the root."""
        return cls(root, folder_names({name.partition("/")[0] for name in files}))

    def path(self, folder: str) -> Path:
        """Where a folder lies."""
        return self.root / self.names[folder]

    def has_usual_name(self, folder: str) -> bool:
        """Whether a folder is read by another name than its own."""
        return self.names[folder] != folder

    def name_of(self, path: Path) -> str:
        """The name below the root of a file, with slashes."""
        return path.relative_to(self.root).as_posix()

    def place_of(self, name: str) -> tuple[str, str]:
        """(folder, name in the folder) of a file by its name below the root."""
        first, _, rest = name.partition("/")
        return next(folder for folder in FOLDERS if self.names[folder] == first), rest

    def asset_of(self, path: Path) -> tuple[str, str]:
        """(folder, key) of a picture."""
        folder, name = self.place_of(self.name_of(path))
        return folder, key_of(name)
