"""Whether anybody touched the files of a folder, without a look into them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

_Touched: TypeAlias = tuple[str, int, int, int, int]
State: TypeAlias = tuple[_Touched, ...]
"""Of each file: path, inode, bytes, times of change in nanoseconds."""
_SETTLED_NS = 2 * 10**9
"""What changed just now may change again without another time: those of file systems are coarse."""


def state_of(root: Path, folders: Iterable[str]) -> State:
    """Of the assets in these folders and their table: the same as long as nobody touches them."""
    paths = [path for folder in folders for path in (root / folder).glob("*")]
    return tuple(sorted(_touched(path) for path in [*paths, root, root / "assets.csv"]))


def is_settled(state: State) -> bool:
    """Whether the last change is so long ago that another one would show."""
    newest = max(max(changed, touched) for *_, changed, touched in state)
    return newest < time.time_ns() - _SETTLED_NS


def _touched(path: Path) -> _Touched:
    try:
        status = path.stat()
    except OSError:
        return (str(path), 0, 0, 0, 0)
    return (str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
