"""Detects changes of the files in a folder without reading them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

_FileState: TypeAlias = tuple[str, int, int, int, int]
FileStates: TypeAlias = tuple[_FileState, ...]
"""(path, inode, bytes, modification and status change in nanoseconds) of each file."""
_SETTLED_NS = 2 * 10**9
"""A file that changed more recently may change again without a new time, since the times of file
systems are coarse."""


def file_states(root: Path, folders: Iterable[str]) -> FileStates:
    """The state of the assets in these folders and of their table; equal while no file changes."""
    paths = [path for folder in folders for path in (root / folder).glob("*")]
    return tuple(sorted(_file_state(path) for path in [*paths, root, root / "assets.csv"]))


def is_settled(states: FileStates) -> bool:
    """Whether the last change is so long ago that a later one has another time."""
    newest = max(max(modified, changed) for *_, modified, changed in states)
    return newest < time.time_ns() - _SETTLED_NS


def _file_state(path: Path) -> _FileState:
    try:
        status = path.stat()
    except OSError:
        return (str(path), 0, 0, 0, 0)
    return (str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
