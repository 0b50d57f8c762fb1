"""Which files of a folder are pictures, by the rules of `source=assets`."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from depthmask import UsageError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
_OF_SYSTEMS = {"__macosx", "thumbs.db", "desktop.ini", "@eadir"}
_OF_ANNOTATIONS = (".txt", ".json", ".yaml", ".yml", ".cache", ".xml", ".csv", ".md")
_LONGEST_SUFFIX = 12
_HIDDEN = "hidden, or made by the system"
_LINK = "a link to a folder; put the folder itself there"


def is_hidden(name: str) -> bool:
    """Whether file managers hide a file or folder of this name, or a system made it."""
    return name.startswith((".", "~$")) or name.casefold() in _OF_SYSTEMS


def is_picture(name: str) -> bool:
    """Whether a file of this name is a picture that is read."""
    return name.lower().endswith(SUFFIXES) and not is_hidden(name)


def pictures_below(root: Path, folder: str = "") -> tuple[list[str], Counter[str]]:
    """The names below `root` of the pictures in a folder and its sub-folders, sorted.

    Also returns how many other entries there are, by the reason why they are not used; annotations
    are not counted. Raises `UsageError` for a folder that cannot be read.
    """
    names, unused, folders = list[str](), Counter[str](), [folder]
    while folders:
        name = folders.pop()
        for entry in _entries(root / name):
            path = f"{name}/{entry.name}" if name else entry.name
            if entry.is_dir(follow_symlinks=False) and not is_hidden(entry.name):
                folders.append(path)
            elif is_picture(entry.name) and not entry.is_dir():
                names.append(path)
            elif reason := _reason(entry):
                unused[reason] += 1
    return sorted(names), unused


def by_stem(folder: Path, suffixes: tuple[str, ...]) -> dict[str, str]:
    """Name without suffix -> name, of the files in a folder with one of these suffixes.

    Of several the suffix that comes first is taken.
    """
    names = [one.name for one in _entries(folder)] if folder.is_dir() else []
    ranked = [
        (suffixes.index(suffix.lower()), f"{stem}{suffix}", stem)
        for stem, suffix in map(os.path.splitext, names)
        if suffix.lower() in suffixes and not is_hidden(stem)
    ]
    return {stem: name for _, name, stem in sorted(ranked, reverse=True)}


def _reason(entry: os.DirEntry[str]) -> str:
    """Why an entry that is no picture is not used; empty for annotations."""
    if is_hidden(entry.name):
        return _HIDDEN
    if entry.is_dir():
        return _LINK
    suffix = os.path.splitext(entry.name)[1].lower()
    if suffix in _OF_ANNOTATIONS:
        return ""
    is_short = suffix.isprintable() and 0 < len(suffix) <= _LONGEST_SUFFIX
    return f"{suffix if is_short else 'another suffix'}; save pictures as JPEG or PNG"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; this user must be able to read it") from None
