"""Publishes shards and small JSON files: each is whole, durable and under its name, or absent.

Writers fill a draft folder, and the framework publishes it, so that a plugin writer cannot get this
wrong.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

from depthmask.errors import (
    DISK_FULL,
    DepthmaskError,
    UsageError,
    causes_of,
    machine_error,
    refuse_machine_errors,
    way_on,
)
from depthmask.storage.fence import lock_lost, require_lock
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.record import ShardFile

_SEAL = b'{"checksum":"%b"'
"""The beginning of a sealed file: the sha256, in hexadecimal, of everything after it."""
_SEAL_BYTES = len(_SEAL % bytes(64))
_SAYS_FULL = re.compile(
    r"no space left on device|disk (is )?full|disk quota exceeded", re.IGNORECASE
)
MOST_SEALED = 1 << 26
"""The most bytes of a sealed file; the record of a shard of 100,000 files has 20 MB."""


class Draft:
    """A context with a temporary folder for the files of one shard."""

    def __init__(self, dataset: str | PathLike[str] | StorePath, shard: str) -> None:
        output = location(dataset)
        self._output = output
        self._shards = output / "shards"
        # A random name, since two machines of a cluster may make the same shard.
        self.folder = output.draft_folder() / f"{shard}.{secrets.token_hex(8)}"

    def __enter__(self) -> Draft:
        if isinstance(self.folder, StorePath):
            # It is in the folder of the dataset, which may be another run's by now.
            require_lock(self.folder)
        self.folder.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # Before the draft is removed, since that gives the disk its room back.
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise disk_error(error, self._output) from error
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def publish(self) -> tuple[ShardFile, ...]:
        """Hash every file and move it to the folder of the shards, durably."""
        return self._shards.publish(self.folder)


def write_sealed(path: StorePath, data: dict[str, Any]) -> None:
    """Write plain data with a checksum, durably, whole or not at all."""
    fields = json.dumps(data, separators=(",", ":")).encode().removeprefix(b"{")
    text = (b"," if data else b"") + fields + b"\n"
    if len(text) > MOST_SEALED - _SEAL_BYTES:
        raise DepthmaskError(
            f"{path}: {len(text):,} bytes, and {MOST_SEALED:,} are allowed; "
            "choose a smaller shard_size"
        )
    path.write_whole(_seal(text) + text)


def read_sealed(path: StorePath) -> dict[str, Any] | None:
    """Return what `write_sealed` wrote; None if the file is missing or damaged.

    Raises `MachineError` if this process may not read it.
    """
    try:
        content = path.read_whole(MOST_SEALED)
        if content[:_SEAL_BYTES] != _seal(content[_SEAL_BYTES:]):
            return None
        data: dict[str, Any] = json.loads(content)
        del data["checksum"]
        return data
    except (OSError, ValueError, KeyError, RecursionError) as error:
        refuse_machine_errors(path, error)
        return None


def require_sealed(path: StorePath) -> dict[str, Any]:
    """Return what `write_sealed` wrote; UsageError if the file is missing or damaged."""
    data = read_sealed(path)
    if data is None:
        state = "is damaged" if path.exists() else "is missing"
        raise UsageError(f"{path}: {path.name} {state}, so the dataset cannot be read")
    return data


@contextmanager
def full_disk_as_os_error(folder: Path, needed: int) -> Iterator[None]:
    """Raise `OSError` for an error that a library raises in the block since the disk is full.

    folder: where the block writes. needed: the bytes that it writes, about.
    """
    try:
        yield
    except DepthmaskError:
        raise
    except Exception as error:
        # Measured here, since the caller removes what the block has written.
        no_room = shutil.disk_usage(folder).free < needed or _lacks_inodes(folder)
        if full := full_disk_behind(error, no_room):
            raise full from error
        raise


def full_disk_behind(error: Exception, no_room: bool = False) -> OSError | None:
    """The error of a full disk that an error of a library stands for; None if it does not.

    Libraries in C have errors of their own, such as `sqlite3.OperationalError`. no_room: whether
    the disk has less space than was to be written.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return None
    codes = {one.errno for one in causes_of(error, contexts=True) if isinstance(one, OSError)}
    if no_room or codes.intersection(DISK_FULL) or _SAYS_FULL.search(str(error)):
        text = textwrap.shorten(f"{type(error).__name__}: {error}", 300)
        return OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} ({text})")
    return None


def disk_error(error: OSError, output: StorePath | Path) -> DepthmaskError:
    """Return an error of the disk in one line: the path, the reason, and what to do."""
    if isinstance(output, StorePath) and (lost := lock_lost(output)):
        return lost  # Its folder was removed, perhaps.
    where = error.filename or output
    if error.errno not in DISK_FULL:
        return machine_error(where, error)
    what = f"; {_room(where)}" if error.errno == errno.ENOSPC else f"{way_on(error)},"
    return DepthmaskError(
        f"{where}: {error.strerror}{what} and run the same command again: published shards are kept"
    )


def _room(path: str | StorePath | Path) -> str:
    """What a disk without room has left, and what to do."""
    # Drafts for an object store are in the folder for temporary files.
    local = Path(str(path)) if "://" not in str(path) else Path(tempfile.gettempdir())
    folder = next(one for one in (local, *local.absolute().parents) if one.is_dir())
    free = f"{shutil.disk_usage(folder).free:,} bytes are free in {folder}"
    if _lacks_inodes(folder):
        return (
            f"{free}, and no inodes: the disk has too many files. Delete some, or choose a writer "
            "of fewer files,"
        )
    return f"{free}. Make room"


def _lacks_inodes(folder: Path) -> bool:
    """Whether a disk can hold no more files, or next to none, whatever their size."""
    disk = os.statvfs(folder)
    return disk.f_favail * 1000 < disk.f_files


def _seal(text: bytes) -> bytes:
    return _SEAL % hashlib.sha256(text).hexdigest().encode()
