"""Paths on the file systems of this machine: synced, hashed and renamed.

Writers fill a draft folder inside the output, so that a rename is atomic.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path, PosixPath
from typing import Any, BinaryIO

from depthmask.errors import DepthmaskError, UsageError, machine_error, refuse_machine_errors
from depthmask.storage.fence import require_lock
from depthmask.storage.flock import flocked
from depthmask.storage.path import DRAFTS, TEMPORARY, OpenShardFile, StorePath, not_as_published
from depthmask.storage.record import ShardFile

_TEMPORARY = re.compile(r"\.[0-9a-f]{16}" + re.escape(TEMPORARY) + r"\Z")
"""The end of the names that `_temporary` gives."""


class LocalPath(PosixPath, StorePath):
    """A `pathlib.Path` that can also publish and verify the files of a dataset."""

    __slots__ = ()

    parallel_reads = 1

    def write_whole(self, content: bytes) -> None:
        """Write to a temporary name, sync, rename, and sync the folder."""
        temporary = _temporary(self)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _rename(temporary, self)

    def read_whole(self, most_bytes: int) -> bytes:
        """Read a regular file; never a link, nor a pipe or device, which may not end."""
        handle = os.open(self, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > most_bytes:
                raise ValueError(f"not a regular file of at most {most_bytes:,} bytes")
            return file.read(most_bytes)

    @contextmanager
    def new_file(self) -> Iterator[Path]:
        """Give a path beside this one; it is synced and renamed at the end."""
        temporary = _temporary(self)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        _rename(temporary, self)

    @contextmanager
    def appended(self) -> Iterator[Path]:
        """Give the path itself."""
        yield self

    def make_folder(self) -> None:
        # The name is looked for first: another worker may make the folder at any moment.
        has_name = self.has_name()
        if self.is_dir():
            return
        if has_name:
            what = "is a link that leads nowhere" if self.is_symlink() else "is a file"
            raise UsageError(f"{self}: {what}, and no folder; choose another path")
        self.parent.make_folder()
        self.mkdir(exist_ok=True)
        _sync_folder(self.parent)

    def unlink(self, missing_ok: bool = False) -> None:
        require_lock(self)
        super().unlink(missing_ok)

    def remove(self) -> None:
        require_lock(self)
        if self.is_dir() and not self.is_symlink():
            shutil.rmtree(self)
        else:
            self.unlink()

    def has_name(self) -> bool:
        try:
            self.lstat()
        except OSError as error:
            refuse_machine_errors(self, error)
            return False
        return True

    def glob(self, pattern: str, **options: Any) -> Iterator[LocalPath]:  # type: ignore[override]
        """As in an object store; that of `pathlib` yields nothing from a folder it cannot list."""
        if options:
            # `rglob` of Python 3.13 comes here, with options of `pathlib`.
            return iter(super().glob(pattern, **options))
        names = os.listdir(self) if self.is_dir() else []
        return (self / name for name in names if fnmatch(name, pattern))

    def file_names(self) -> Iterator[str]:
        if self.is_symlink():
            return
        top = len(os.path.join(self, ""))
        for folder, _, names in os.walk(self, onerror=_raise_unless_missing):
            for path in (os.path.join(folder, name) for name in names):
                if os.path.isfile(path):
                    yield path[top:]

    def locked(self) -> AbstractContextManager[Callable[[], None]]:
        self.make_folder()
        return flocked(self)

    @contextmanager
    def recorded(self) -> Iterator[dict[str, ShardFile]]:
        """Whatever the block has written, by any call: it may not know of `StorePath`."""
        before, files = _states(self), dict[str, ShardFile]()
        yield files
        require_lock(self)
        changed = {name for name, state in _states(self).items() if before.get(name) != state}
        files |= {name: _synced(self, self / name) for name in sorted(changed)}
        for folder in {above for name in changed for above in Path(name).parents}:
            _sync_folder(self / folder)

    def draft_folder(self) -> Path:
        return self / DRAFTS

    def remove_leftovers(self) -> None:
        """Remove drafts, and files that were not renamed yet."""
        require_lock(self)
        shutil.rmtree(self / DRAFTS, ignore_errors=True)
        for folder in (self, self / "records"):
            for path in folder.glob(f"*.json.*{TEMPORARY}"):
                path.unlink(missing_ok=True)
        for name in self.derived_names():
            if _TEMPORARY.search(name):
                (self / name).unlink(missing_ok=True)

    def free_bytes(self, *, emptied: bool = False) -> int:
        folders = (self, *self.absolute().parents)
        free = shutil.disk_usage(next(folder for folder in folders if folder.is_dir())).free
        used = ((self / name).stat().st_size for name in self.file_names()) if emptied else ()
        return free + sum(used)

    def publish(self, draft: Path) -> tuple[ShardFile, ...]:
        """Sync and hash every file, then rename."""
        paths = sorted(path for path in draft.rglob("*") if path.is_file())
        files = tuple(_synced(draft, path) for path in paths)
        for folder in sorted({path.parent for path in paths} - {draft}):
            _sync_folder(folder)
        require_lock(self)
        self.make_folder()
        for entry in sorted(draft.iterdir()):
            _replace(entry, self / entry.name)
        _sync_folder(self)
        return files

    def open_shard_file(self, file: ShardFile) -> OpenShardFile:
        return _OpenFile(_open_descriptor(self, file))

    def stream_shard_file(self, file: ShardFile) -> BinaryIO:
        return os.fdopen(_open_descriptor(self, file), "rb")

    def difference(self, file: ShardFile) -> str | None:
        path = self / file.name
        _refuse_links(self, file.name)
        try:
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                raise OSError(errno.ELOOP, "a link")
            if not stat.S_ISREG(status.st_mode):
                return "is not a regular file"
            if status.st_size != file.bytes:
                return f"has {status.st_size:,} bytes and was published with {file.bytes:,}"
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            refuse_machine_errors(path, error)
            return "is missing"
        return None if digest == file.sha256 else "has different content (sha256 differs)"

    def is_intact(self, file: ShardFile) -> bool:
        """Hash the whole file, which takes little longer than reading it."""
        return self.difference(file) is None


def _raise_unless_missing(error: OSError) -> None:
    refuse_machine_errors(error.filename, error)


class _OpenFile:
    """Reads by position from a descriptor, so threads do not disturb each other."""

    def __init__(self, handle: int) -> None:
        self._open_descriptor = handle

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        return [os.pread(self._open_descriptor, size, offset) for offset, size in spans]

    def close(self) -> None:
        os.close(self._open_descriptor)


def _open_descriptor(folder: LocalPath, file: ShardFile) -> int:
    """Return a descriptor of a published file, without following links below `folder`.

    A downloaded dataset must not make us read, or wait for, what is not a part of it.
    """
    path = folder / file.name
    _refuse_links(folder, file.name)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        refuse_machine_errors(path, error)
        raise not_as_published(folder, file, missing=True) from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_size != file.bytes:
        os.close(handle)
        raise not_as_published(folder, file)
    return handle


def _refuse_links(folder: LocalPath, name: str) -> None:
    """Raise `MachineError` if a folder between `folder` and the file is a link."""
    for above in Path(name).parents[:-1]:
        if (folder / above).is_symlink():
            raise machine_error(folder / above, OSError(errno.ELOOP, "a link"))


def _synced(draft: Path, path: Path) -> ShardFile:
    """Sync and hash a file of a draft."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ShardFile(path.relative_to(draft).as_posix(), path.stat().st_size, digest)


def _temporary(path: LocalPath) -> LocalPath:
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}{TEMPORARY}")


def _rename(temporary: LocalPath, path: LocalPath) -> None:
    """Give a synced file its name, if the run holds the lock of its dataset."""
    try:
        require_lock(path)
    except DepthmaskError:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    os.replace(temporary, path)
    _sync_folder(path.parent)


def _states(output: LocalPath) -> dict[str, tuple[int, ...]]:
    """What tells, for each derived file, whether it was written in the meantime."""
    states: dict[str, tuple[int, ...]] = {}
    for name in output.derived_names():
        # A foreign file may go at any time.
        with suppress(FileNotFoundError):
            one = (output / name).stat()
            states[name] = (one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns)
    return states


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(entry: Path, target: Path) -> None:
    """Rename over an existing file, or over a folder with files."""
    while True:
        try:
            return os.replace(entry, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        # A folder cannot be renamed over one with files, so the old one is moved into the draft. It
        # may be this shard as well, made by a slow node, so it is never deleted in its place.
        with suppress(FileNotFoundError):
            os.rename(target, entry.with_name(f"{target.name}.{secrets.token_hex(8)}"))
