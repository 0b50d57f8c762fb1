"""Folders on a disk: synced, hashed and renamed.

Writers fill a draft folder inside the output, so that a rename is atomic.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from depthmask.errors import DepthmaskError
from depthmask.storage.flock import flocked
from depthmask.storage.record import ShardFile
from depthmask.storage.store import DRAFTS, TEMPORARY, Opened, Store


class LocalStore(Store[Path]):
    """The file systems of this machine."""

    readers = 1

    def drafts(self, output: Path) -> Path:
        return output / DRAFTS

    def publish(self, draft: Path, shards: Path) -> tuple[ShardFile, ...]:
        """Sync and hash every file, then rename."""
        paths = sorted(path for path in draft.rglob("*") if path.is_file())
        files = tuple(_synced(draft, path) for path in paths)
        for folder in sorted({path.parent for path in paths} - {draft}):
            _sync_folder(folder)
        self.make_folder(shards)
        for entry in sorted(draft.iterdir()):
            _replace(entry, shards / entry.name)
        _sync_folder(shards)
        return files

    def write(self, path: Path, content: bytes) -> None:
        """Temporary name, sync, rename, sync of the folder."""
        temporary = _temporary(path)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)

    @contextmanager
    def new_file(self, path: Path) -> Iterator[Path]:
        """Beside its place, synced and renamed at the end."""
        temporary = _temporary(path)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)

    @contextmanager
    def appended(self, path: Path) -> Iterator[Path]:
        """In its place."""
        yield path

    def read(self, path: Path, most: int) -> bytes:
        """A regular file; never a link, or what would be read for ever."""
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > most:
                raise ValueError("no file of ours")
            return file.read(most)

    def open(self, folder: Path, file: ShardFile) -> Opened:
        return _OpenFile(_handle(folder, file))

    def stream(self, folder: Path, file: ShardFile) -> BinaryIO:
        return os.fdopen(_handle(folder, file), "rb")

    def difference(self, folder: Path, file: ShardFile) -> str | None:
        path = folder / file.name
        try:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                return "is a link, or no file at all"
            if status.st_size != file.bytes:
                return f"has {status.st_size:,} bytes and was published with {file.bytes:,}"
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
        except FileNotFoundError:
            return "is missing"
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        return None if digest == file.sha256 else "has another content (sha256 differs)"

    def stands(self, folder: Path, file: ShardFile) -> bool:
        """Every byte is hashed: two cores hash some 3 GB/s."""
        return self.difference(folder, file) is None

    def files(self, folder: Path) -> Iterator[str]:
        paths = (path for path in folder.rglob("*") if path.is_file())
        return (path.relative_to(folder).as_posix() for path in paths)

    def remove(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def make_folder(self, path: Path) -> None:
        """With all that are missing above it."""
        if not path.is_dir():
            self.make_folder(path.parent)
            path.mkdir(exist_ok=True)
            _sync_folder(path.parent)

    def remove_leftovers(self, output: Path) -> None:
        """Drafts, and sealed files without their name."""
        shutil.rmtree(output / DRAFTS, ignore_errors=True)
        for folder in (output, output / "records"):
            for path in folder.glob(f"*.json.*{TEMPORARY}"):
                path.unlink(missing_ok=True)

    def free(self, output: Path) -> int:
        there = next(folder for folder in (output, *output.absolute().parents) if folder.is_dir())
        return shutil.disk_usage(there).free

    def locked(self, output: Path) -> AbstractContextManager[Callable[[], None]]:
        self.make_folder(output)
        return flocked(output)


class _OpenFile:
    """By its descriptor: reads of several threads do not disturb each other."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        return [os.pread(self._handle, size, offset) for offset, size in spans]

    def close(self) -> None:
        os.close(self._handle)


def _handle(folder: Path, file: ShardFile) -> int:
    """A descriptor of a published file, by its name below `folder`, never by a link.

    A dataset that came from elsewhere must not make us read, or wait for, what is not a part of it.
    """
    path = folder / file.name
    for part in path.relative_to(folder).parents:
        if part.name and (folder / part).is_symlink():
            raise DepthmaskError(f"{path}: {folder / part} is a link; a shard is read from none")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "a link; a shard is read from none" if path.is_symlink() else error.strerror
        raise DepthmaskError(f"{path}: {reason}") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_size != file.bytes:
        os.close(handle)
        raise file.not_as_published(path)
    return handle


def _synced(draft: Path, path: Path) -> ShardFile:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ShardFile(path.relative_to(draft).as_posix(), path.stat().st_size, digest)


def _temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}{TEMPORARY}")


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(entry: Path, target: Path) -> None:
    """Rename, over what may be there: a file, or a folder with files."""
    while True:
        try:
            return os.replace(entry, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        # A folder cannot be renamed over a full one, so that one moves into the draft. It may be
        # this very shard, made by a node that was slow: never delete it where it lies.
        with suppress(FileNotFoundError):
            os.rename(target, entry.with_name(f"{target.name}.{secrets.token_hex(8)}"))
