"""Completes folders and files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator


def datasets(typed: str) -> list[str]:
    """The folders with a dataset that begin with what is typed, and other folders with a `/`."""
    return _entries(typed, _is_dataset)


def inputs(typed: str) -> list[str]:
    """The datasets and files that begin with what is typed, and other folders with a `/`."""
    return _entries(typed, lambda path: os.path.isfile(path) or _is_dataset(path))


def files(typed: str) -> list[str]:
    """The files, and the folders with a `/`, that begin with what is typed."""
    return _entries(typed, os.path.isfile)


def folders(typed: str) -> list[str]:
    """The folders that begin with what is typed, each with a `/`."""
    return _entries(typed, lambda path: False)


def _is_dataset(path: str) -> bool:
    return os.path.isfile(os.path.join(path, "plan.json"))


def _entries(typed: str, is_offered: Callable[[str], bool]) -> list[str]:
    """The entries of a folder that are offered as they are, and the other folders with a `/`."""
    if "://" in typed:
        return []  # Listing an object store takes too long.
    entries = {}
    for name, path in _matching(typed):
        if is_offered(path):
            entries[path] = name
        elif os.path.isdir(path):
            entries[path] = f"{name}/"
    return sorted(entries.values())


def _matching(typed: str) -> Iterator[tuple[str, str]]:
    """Yield each entry whose name begins with what is typed, and its path."""
    head, _, start = typed.rpartition("/")
    prefix = f"{head}/" if "/" in typed else ""
    folder = os.path.expanduser(prefix) or "."
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith(start) and (start.startswith(".") or not name.startswith(".")):
            yield f"{prefix}{name}", os.path.join(folder, name)
