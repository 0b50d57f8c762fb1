"""Publishing: a file is either whole, on the disk and under its name, or it is not there.

Writers fill a draft folder inside the output, so that a rename is atomic; the framework syncs,
hashes and renames. A plugin writer cannot get it wrong.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from pathlib import Path
from types import TracebackType
from typing import Any

from depthmask.errors import DepthmaskError, UsageError
from depthmask.output.record import ShardFile

DRAFTS = ".drafts"
"""Folder of unfinished shards in the output; whatever a killed run left there is garbage."""

TEMPORARY = ".tmp"
"""How the names of sealed files end before they are whole."""

_SEAL = b'{"checksum":"%b"'
"""How a sealed file begins: with the sha256, in hexadecimal, of all that follows."""
_SEAL_BYTES = len(_SEAL % bytes(64))
MOST_SEALED = 1 << 26
"""Bytes of a sealed file; the record of a shard of 100,000 files has 20 MB."""


class Draft:
    """A temporary folder for the files of one shard: a context, gone at its end."""

    def __init__(self, output: Path, shard: str) -> None:
        self._shards = output / "shards"
        self.folder = output / DRAFTS / f"{shard}.{os.getpid()}"

    def __enter__(self) -> Draft:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def publish(self) -> tuple[ShardFile, ...]:
        """Sync and hash every file, then move them to the folder of the shards."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        files = tuple(self._sealed(path) for path in paths)
        for folder in sorted({path.parent for path in paths} - {self.folder}):
            sync_folder(folder)
        make_folder(self._shards)
        for entry in sorted(self.folder.iterdir()):
            _replace(entry, self._shards / entry.name)
        sync_folder(self._shards)
        return files

    def _sealed(self, path: Path) -> ShardFile:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = path.relative_to(self.folder).as_posix()
        return ShardFile(name, path.stat().st_size, digest)


def write_sealed(path: Path, data: dict[str, Any]) -> None:
    """Write plain data with a checksum of its own: temporary name, sync, rename, sync of folder."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    fields = json.dumps(data, separators=(",", ":")).encode().removeprefix(b"{")
    text = (b"," if data else b"") + fields + b"\n"
    if len(text) > MOST_SEALED - _SEAL_BYTES:
        raise DepthmaskError(
            f"{path}: {len(text):,} bytes, and we read no more than {MOST_SEALED:,}; "
            "a smaller shard_size makes smaller ones"
        )
    with temporary.open("wb") as file:
        file.write(_seal(text) + text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def remove_leftovers(output: Path) -> None:
    """Remove what a killed run left unfinished: drafts, and sealed files without their name."""
    shutil.rmtree(output / DRAFTS, ignore_errors=True)
    for folder in (output, output / "records"):
        for path in folder.glob(f"*.json.*{TEMPORARY}"):
            path.unlink()


def make_folder(path: Path) -> None:
    """Make a folder whose name is durable, with all that are missing above it."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def read_sealed(path: Path) -> dict[str, Any] | None:
    """What `write_sealed` wrote; None if the file is absent, cut, changed or another's."""
    try:
        content = _read_file(path, MOST_SEALED)
        if content[:_SEAL_BYTES] != _seal(content[_SEAL_BYTES:]):
            return None
        data: dict[str, Any] = json.loads(content)
        del data["checksum"]
        return data
    except (OSError, ValueError, KeyError, RecursionError):
        return None


def _read_file(path: Path, most: int) -> bytes:
    """A regular file of so many bytes at most; never a link, or what would be read for ever."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:
            raise ValueError("no file of ours")
        return file.read(most)


def require_sealed(path: Path) -> dict[str, Any]:
    """What `write_sealed` wrote; UsageError if it is not there or not whole."""
    data = read_sealed(path)
    if data is None:
        state = "is damaged" if path.exists() else "is missing"
        raise UsageError(f"{path}: {path.name} {state}, so this is no dataset to read")
    return data


def disk_error(error: OSError, output: Path) -> DepthmaskError:
    """An error of the disk in one line: the path, what happened, what is free."""
    where = error.filename or output
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        there = next(folder for folder in (output, *output.absolute().parents) if folder.is_dir())
        free = shutil.disk_usage(there).free
        return DepthmaskError(
            f"{where}: {error.strerror}; {free:,} bytes are free in {output}. "
            "Make room and run the same command again: what is published stays"
        )
    return DepthmaskError(f"{where}: {error.strerror or error}")


def _seal(text: bytes) -> bytes:
    return _SEAL % hashlib.sha256(text).hexdigest().encode()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(entry: Path, target: Path) -> None:
    # A folder cannot be renamed over a full one; without its record the old one counts for nothing.
    if entry.is_dir() and target.exists():
        shutil.rmtree(target)
    os.replace(entry, target)
