"""Paths in object stores: whole objects are put, ranges of them are read.

Writers fill a draft folder in the local folder for temporary files.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from os import PathLike, fspath
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage import lease, object_store
from depthmask.storage.fence import Fence, fence_of, holding, require_lock
from depthmask.storage.path import (
    DRAFTS,
    LOCK,
    OpenShardFile,
    StorePath,
    is_derived,
    not_as_published,
)
from depthmask.storage.record import ShardFile

_AT_ONCE = 16
"""Parallel requests for small files, since each takes some 20 ms."""
_GAP = 1 << 16
"""Members at most this many bytes apart are read with one request, which costs as much as 1 MB."""
_BUFFER = 1 << 20
_FRESH_S = 0.5
"""How old the answer may be that the run holds its lock, for a put that replaces nothing unseen: so
a shard takes one request for that, its files and its record together."""
_WAIT_S = 0.1
"""The wait before a put is tried again; it doubles each time."""


@dataclass(frozen=True, order=True, slots=True)
class ObjectPath(StorePath):
    """A path in S3, in Google Cloud Storage, or in the memory of this process (for tests).

    root: scheme and bucket, such as `s3://bucket`. key: the path below it, without slashes at its
    ends.
    """

    root: str
    key: str = ""

    parallel_reads = _AT_ONCE

    def __str__(self) -> str:
        return f"{self.root}/{self.key}".rstrip("/")

    def __reduce__(self) -> tuple[type[ObjectPath], tuple[str, str]]:
        if self.is_memory:
            raise UsageError(f"{self}: memory:// exists in one process only; set runner.workers=1")
        return ObjectPath, (self.root, self.key)

    def __truediv__(self, key: str | PathLike[str]) -> ObjectPath:
        return ObjectPath(self.root, f"{self.key}/{fspath(key)}".strip("/"))

    @property
    def is_memory(self) -> bool:
        """Whether other processes cannot see the objects."""
        return self.root.startswith("memory://")

    @property
    def name(self) -> str:
        """The last component; for a whole bucket the bucket's name."""
        return str(self).rpartition("/")[2]

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> ObjectPath:
        """The path without its last component; for a whole bucket the bucket itself."""
        return ObjectPath(self.root, self.key.rpartition("/")[0])

    def absolute(self) -> ObjectPath:
        return self

    def is_file(self) -> bool:
        return self.key != "" and object_store.head(self.root, self.key) is not None

    def is_dir(self) -> bool:
        """Return whether there are objects below the path."""
        return any(True for _ in object_store.list_objects(self.root, self._prefix))

    def has_name(self) -> bool:
        return self.exists()

    def exists(self) -> bool:
        return self.is_file() or self.is_dir()

    def read_bytes(self) -> bytes:
        return object_store.get(self.root, self.key)[1]

    def write_bytes(self, data: bytes) -> int:
        self._put(data)
        return len(data)

    def write_text(self, data: str, encoding: str) -> int:
        self.write_bytes(data.encode(encoding))
        return len(data)

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the object; a missing one is no error, object stores do not report it."""
        require_lock(self)
        object_store.delete(self.root, [self.key])

    def iterdir(self) -> Iterator[ObjectPath]:
        folders, objects = object_store.children(self.root, self._prefix)
        keys = dict.fromkeys([*folders, *(one.key for one in objects)])
        return (ObjectPath(self.root, key) for key in keys)

    def glob(self, pattern: str) -> Iterator[ObjectPath]:
        return (path for path in self.iterdir() if fnmatch(path.name, pattern))

    def rglob(self, pattern: str) -> Iterator[ObjectPath]:
        objects = object_store.list_objects(self.root, self._prefix)
        paths = (ObjectPath(self.root, one.key) for one in objects)
        return (path for path in paths if fnmatch(path.name, pattern))

    def write_whole(self, content: bytes) -> None:
        self.write_bytes(content)

    def read_whole(self, most_bytes: int) -> bytes:
        with object_store.stream(self.root, self.key) as (info, chunks):
            if info.bytes > most_bytes:
                raise ValueError(f"more than {most_bytes:,} bytes")
            return b"".join(chunks)

    @contextmanager
    def new_file(self) -> Iterator[Path]:
        """Give a path in a local folder; the file is uploaded at the end."""
        with self._scratch_file() as temporary:
            yield temporary
            # Asked for before, since a large file is not to be sent twice.
            self._put(temporary, instead_of=self._seen(fence_of(self)))

    @contextmanager
    def appended(self) -> Iterator[Path]:
        """Give a local copy that is uploaded on exit; it is lost if the store is unreachable."""
        with self._scratch_file() as temporary:
            version = object_store.NOTHING
            with suppress(FileNotFoundError):
                info, content = object_store.get(self.root, self.key)
                version = info.version
                temporary.write_bytes(content)
            try:
                yield temporary
            finally:
                # None may hide an error of the block, which may have written nothing.
                with suppress(DepthmaskError, FileNotFoundError, object_store.TakenError):
                    require_lock(self)
                    object_store.put(self.root, self.key, temporary, version)

    def make_folder(self) -> None:
        """Do nothing: a folder is the prefix of a key."""

    def remove(self) -> None:
        keys = [one.key for one in self.rglob("*")]
        require_lock(self)
        object_store.delete(self.root, [self.key, *keys])

    def file_names(self) -> Iterator[str]:
        return (path.key[len(self._prefix) :] for path in self.rglob("*"))

    @contextmanager
    def locked(self) -> Iterator[Callable[[], None]]:
        lock = self / LOCK
        with lease.leased(lock.root, lock.key, str(self)) as holder:
            fence = Fence(lock, holder.token, holder.is_conditional)
            with holding(fence):
                yield lambda: fence.require(lease.RENEW_S)

    @contextmanager
    def recorded(self) -> Iterator[dict[str, ShardFile]]:
        """What the block puts by methods of this class, in any thread."""
        files: dict[str, ShardFile] = {}
        recording = (self, files)
        _RECORDINGS.append(recording)
        try:
            yield files
        finally:
            _RECORDINGS.remove(recording)
        for name in [*files]:
            if not is_derived(name) or not (self / name).is_file():
                del files[name]

    def draft_folder(self) -> Path:
        """Return a folder named after the path, where the next run finds what a killed one left."""
        return _own_folder() / hashlib.sha256(str(self).encode()).hexdigest()[:16] / DRAFTS

    def remove_leftovers(self) -> None:
        """Remove drafts from this machine; there are no unfinished objects."""
        require_lock(self)
        shutil.rmtree(self.draft_folder(), ignore_errors=True)

    def free_bytes(self, *, emptied: bool = False) -> None:
        """Return None: object stores have no limit."""

    def publish(self, draft: Path) -> tuple[ShardFile, ...]:
        """Hash and upload every file, then delete other objects in the folders of the draft."""
        require_lock(self)
        paths = sorted(path for path in draft.rglob("*") if path.is_file())
        with ThreadPoolExecutor(min(_AT_ONCE, len(paths))) as threads:
            files = tuple(threads.map(lambda path: self._published(draft, path), paths))
        for entry in draft.iterdir():
            if entry.is_dir():
                existing = {f"{entry.name}/{name}" for name in (self / entry.name).file_names()}
                stale = sorted(existing - {file.name for file in files})
                if stale:
                    require_lock(self)
                object_store.delete(self.root, [(self / name).key for name in stale])
        return files

    def open_shard_file(self, file: ShardFile) -> OpenShardFile:
        return _RangeReader(self, file)

    def stream_shard_file(self, file: ShardFile) -> BinaryIO:
        ranges = _RangeReader(self, file)
        return io.BufferedReader(_ObjectStream(ranges, file.bytes), _BUFFER)

    def difference(self, file: ShardFile) -> str | None:
        digest = hashlib.sha256()
        try:
            with object_store.stream(self.root, (self / file.name).key) as (info, chunks):
                if info.bytes != file.bytes:
                    return f"has {info.bytes:,} bytes and was published with {file.bytes:,}"
                for chunk in chunks:
                    digest.update(chunk)
        except FileNotFoundError:
            return "is missing"
        is_same = digest.hexdigest() == file.sha256
        return None if is_same else "has different content (sha256 differs)"

    def is_intact(self, file: ShardFile) -> bool:
        """Compare size and etag in one request; a copy has another etag and is hashed."""
        info = object_store.head(self.root, (self / file.name).key)
        if info is None or info.bytes != file.bytes:
            return False
        return info.version.etag == file.etag or self.difference(file) is None

    @property
    def _prefix(self) -> str:
        return f"{self.key}/" if self.key else ""

    @contextmanager
    def _scratch_file(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=_own_folder()) as folder:
            yield Path(folder) / self.name

    def _published(self, draft: Path, path: Path) -> ShardFile:
        name = path.relative_to(draft).as_posix()
        return _shard_file(name, path, (self / name)._put(path))

    def _put(
        self, content: bytes | Path, instead_of: object_store.Version = object_store.NOTHING
    ) -> object_store.Version:
        """Put the object, while the run holds the lock of its dataset; returns the new version.

        instead_of: the version that it has probably.
        """
        fence = fence_of(self)
        if fence is None:
            version = object_store.put(self.root, self.key, content)
        elif isinstance(content, Path) and content.stat().st_size > object_store.MOST_CONDITIONAL:
            version = object_store.put_in_parts(self.root, self.key, content, fence.require)
        elif not fence.is_conditional:
            fence.require(_FRESH_S)
            version = object_store.put(self.root, self.key, content)
        else:
            version = self._put_fenced(content, instead_of, fence)
        self._note(content, version)
        return version

    def _put_fenced(
        self, content: bytes | Path, instead_of: object_store.Version, fence: Fence
    ) -> object_store.Version:
        """Put the object in place of what was there while the run held the lock, and of no other.

        So it replaces nothing that another run has put since it took the lock, also if this process
        is suspended between any two of the steps, or in the put itself.
        """
        begun, failed = time.monotonic(), 0
        while True:
            fence.require(_FRESH_S)
            try:
                # The library would not read the lock before it tries again.
                return object_store.put(self.root, self.key, content, instead_of, 0)
            except object_store.TakenError:
                # By an earlier run, or by a put whose answer was lost.
                instead_of = self._seen(fence)
            except object_store.TransientError:
                retry_for = object_store.RETRY_FOR.total_seconds()
                if failed >= object_store.RETRIES or time.monotonic() - begun > retry_for:
                    raise
                time.sleep(_WAIT_S * 2**failed)
                failed += 1

    def _seen(self, fence: Fence | None) -> object_store.Version:
        """The version of the object; it is of no other run, as the lock is read after it."""
        info = object_store.head(self.root, self.key)
        if fence is not None:
            fence.require()
        return object_store.NOTHING if info is None else info.version

    def _note(self, content: bytes | Path, version: object_store.Version) -> None:
        """Note what was put, for `recorded`."""
        for output, files in tuple(_RECORDINGS):
            if output.root == self.root and self.key.startswith(output._prefix):
                name = self.key.removeprefix(output._prefix)
                files[name] = _shard_file(name, content, version)


class _RangeReader:
    """Reads ranges of an object, which must have the size that it was published with."""

    def __init__(self, shards: ObjectPath, file: ShardFile) -> None:
        self._shards = shards
        self._path = shards / file.name
        self._file = file

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """Read adjacent spans with one request."""
        start = min(offset for offset, _ in spans)
        stop = max(offset + size for offset, size in spans)
        if stop - start <= sum(size for _, size in spans) + _GAP:
            content = memoryview(self._get(start, stop))
            return [bytes(content[at - start : at - start + size]) for at, size in spans]
        return [self._get(offset, offset + size) for offset, size in spans]

    def close(self) -> None:
        """Do nothing: no connection is held."""

    def _get(self, start: int, stop: int) -> bytes:
        if start == stop:
            return b""
        try:
            info, content = object_store.get(self._path.root, self._path.key, (start, stop))
        except FileNotFoundError:
            raise not_as_published(self._shards, self._file, missing=True) from None
        if info.bytes != self._file.bytes:
            raise not_as_published(self._shards, self._file)
        return content


class _ObjectStream(io.RawIOBase):
    """An object as a file that reads and seeks."""

    def __init__(self, ranges: _RangeReader, size: int) -> None:
        self._ranges = ranges
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._size)
        if stop <= self._at:
            return 0
        (content,) = self._ranges.read([(self._at, stop - self._at)])
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


_RECORDINGS: list[tuple[ObjectPath, dict[str, ShardFile]]] = []
"""The datasets whose derived files are being recorded, each with those that were put so far."""


def _shard_file(name: str, content: bytes | Path, version: object_store.Version) -> ShardFile:
    """What is recorded of an object with this content."""
    if isinstance(content, bytes):
        return ShardFile(name, len(content), hashlib.sha256(content).hexdigest(), version.etag)
    with content.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ShardFile(name, content.stat().st_size, digest, version.etag)


def _own_folder() -> Path:
    """Return a folder for temporary files that no other user of the machine can have prepared."""
    folder = Path(tempfile.gettempdir()) / f"depthmask-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not folder.is_dir() or folder.is_symlink() or status.st_uid != os.getuid():
        raise DepthmaskError(
            f"{folder}: not a folder that belongs to this user; remove it, or set TMPDIR=FOLDER"
        )
    return folder
