"""The folder of the store, in the user's cache folder: entries by name, within a limit of bytes.

Whoever lacks an entry makes it again, so that a store that is damaged, deleted, full or read-only
costs time only. Processes and runs share it without locks: entries are written whole, and one that
is removed is missed by nobody.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from depthmask.asset_store.entry import Entry, decoded, encoded
from depthmask.caching import CACHE_BYTES, FifoCache, cache_folder, cache_written, stores
from depthmask.errors import DepthmaskError, UsageError

NAME = "store"
"""The name of the folder in the cache folder."""
_SHARE, _MOST_BYTES = 4, 50 << 30
"""Without a limit, the store takes up to a quarter of what is free, its own bytes included, and no
more than 50 GiB: 20,000 backgrounds of 480x640 with depth."""
_KEPT = 0.9
"""The part of the limit that is kept when entries leave, so that they leave in batches."""
_CHECKED_EVERY = 1 << 28
"""Bytes that a process writes before it looks again at the size of the store."""
_TOUCHED_EVERY_S = 3600.0
"""Entries of the last hour count as equally recent, since to mark each use takes 5 us."""
_TEMPORARY = ".tmp"
_OLD_S = 3600.0
"""The age of a temporary file that a killed process has left."""

_log = logging.getLogger(__name__)
_unwritten: FifoCache[bytes] = FifoCache(len, CACHE_BYTES)
"""What could not be written to the disk."""
_limit: int | None = None
_unchecked_bytes = 0


class StoredFile(NamedTuple):
    """A file of the store. group: what its entry is about. used: when it was last used."""

    path: Path
    group: str
    bytes: int
    used: float


def store_folder() -> Path:
    """The folder of the store; it need not exist."""
    return cache_folder() / NAME


def set_limit(limit: int | None) -> None:
    """Let this process keep the store below so many bytes; None for a share of the free space."""
    global _limit
    _limit = limit


def load(name: str) -> Entry | None:
    """The entry of a name (`group/digest`); None if it is missing or damaged."""
    try:
        path = _path(name)
        with path.open("rb", buffering=0) as file:
            content = file.read()
            used = os.fstat(file.fileno()).st_mtime
    except (OSError, UsageError):
        content = _unwritten.peek(name)
        return None if content is None else decoded(name, content)
    entry = decoded(name, content)
    if entry is not None and time.time() - used > _TOUCHED_EVERY_S:
        with suppress(OSError):
            os.utime(path)
    return entry


def is_stored(name: str) -> bool:
    """Whether there is a file for an entry; it may be damaged."""
    with suppress(UsageError):
        if _path(name).is_file():
            return True
    return _unwritten.peek(name) is not None


def save(name: str, entry: Entry) -> None:
    """Write an entry, whole or not at all; if it cannot be written, it is kept in memory."""
    if not stores():
        return
    content = encoded(name, entry)
    try:
        with cache_written():
            _write(_path(name), content)
    except DepthmaskError as error:
        _unwritten.keep(name, b"".join(content))
        _warn(f"later runs repeat work of this one: {error}")
        return
    _count(sum(map(len, content)))


def can_store() -> bool:
    """Whether the store can be written now; makes room in it."""
    if not stores():
        return False
    try:
        with cache_written():
            store_folder().mkdir(parents=True, exist_ok=True)
            draft = _draft(store_folder() / "draft")
            draft.touch()
            draft.unlink()
        trim()
    except (OSError, DepthmaskError):
        return False
    return True


def stored_files() -> Iterator[StoredFile]:
    """Yield the files of the store."""
    root = store_folder()
    for group in _entries(root):
        for part in _entries(group.path):
            for one in _entries(part.path):
                # Another process may remove it.
                with suppress(OSError):
                    status = one.stat()
                    yield StoredFile(Path(one.path), group.name, status.st_size, status.st_mtime)


def clear() -> None:
    """Remove all entries; runs that use them make them again."""
    shutil.rmtree(store_folder(), ignore_errors=True)


def trim() -> None:
    """Remove the entries that were not used for the longest time, if the store is too large."""
    files = sorted(stored_files(), key=lambda one: one.used)
    total, now = sum(one.bytes for one in files), time.time()
    too_many = total > (limit := _allowed(total))
    for one in files:
        is_old_draft = one.path.suffix == _TEMPORARY and now - one.used > _OLD_S
        if is_old_draft or (too_many and total > limit * _KEPT):
            with suppress(OSError):
                one.path.unlink()
            total -= one.bytes


def _allowed(total: int) -> float:
    """The bytes that the store may take, of which it has `total` now."""
    if _limit is not None:
        return _limit
    share = (shutil.disk_usage(store_folder()).free + total) / _SHARE
    return min(share, _MOST_BYTES)


def _count(written: int) -> None:
    """Look at the size of the store once this process has written much into it."""
    global _unchecked_bytes
    _unchecked_bytes += written
    if _unchecked_bytes >= (
        _CHECKED_EVERY if _limit is None else min(_CHECKED_EVERY, _limit // 20)
    ):
        _unchecked_bytes = 0
        with suppress(OSError):
            trim()


def _path(name: str) -> Path:
    group, _, digest = name.partition("/")
    # To make 256 folders takes longer than to write as many entries.
    return store_folder() / group / digest[:1] / digest


def _write(path: Path, content: Iterable[bytes | memoryview]) -> None:
    temporary = _draft(path)
    try:
        try:
            file = temporary.open("wb")
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = temporary.open("wb")
        with file:
            file.writelines(content)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _draft(path: Path) -> Path:
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}{_TEMPORARY}")


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


@cache
def _warn(text: str) -> None:
    """Warn once; workers leave it to the process that started them, which stores first."""
    # Imported here, since most commands start no process.
    from multiprocessing import parent_process

    if parent_process() is None:
        _log.warning("%s", text)
