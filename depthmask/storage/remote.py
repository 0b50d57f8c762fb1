"""Object stores: whole-object puts, and ranged reads.

Writers fill a draft folder in the local folder for temporary files.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from depthmask.errors import DepthmaskError
from depthmask.storage import object_store
from depthmask.storage.lease import leased
from depthmask.storage.location import Address
from depthmask.storage.record import ShardFile
from depthmask.storage.store import DRAFTS, LOCK, Opened, Store

_AT_ONCE = 16
"""Requests under way where there are many small files: each takes some 20 ms."""
_GAP = 1 << 16
"""Bytes between two members that are read along with them: a request takes as long as 1 MB."""
_BUFFER = 1 << 20


class RemoteStore(Store[Address]):
    """S3, Google Cloud Storage, and the memory of this process for tests."""

    readers = _AT_ONCE

    def drafts(self, output: Address) -> Path:
        """By the address, so that the next run here finds what a killed one left."""
        return _own_folder() / hashlib.sha256(str(output).encode()).hexdigest()[:16] / DRAFTS

    def publish(self, draft: Path, shards: Address) -> tuple[ShardFile, ...]:
        """Hash every file, then put each as one object, and delete what else is in its folder."""
        paths = sorted(path for path in draft.rglob("*") if path.is_file())
        with ThreadPoolExecutor(min(_AT_ONCE, len(paths))) as threads:
            files = tuple(threads.map(lambda path: _put(draft, path, shards), paths))
        for entry in draft.iterdir():
            if entry.is_dir():
                there = (f"{entry.name}/{name}" for name in self.files(shards / entry.name))
                gone = set(there) - {file.name for file in files}
                object_store.delete(shards.root, [(shards / name).key for name in sorted(gone)])
        return files

    def write(self, path: Address, content: bytes) -> None:
        path.write_bytes(content)

    @contextmanager
    def new_file(self, path: Address) -> Iterator[Path]:
        """In a local folder, put at the end."""
        with tempfile.TemporaryDirectory(dir=_own_folder()) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            object_store.put(path.root, path.key, temporary)

    @contextmanager
    def appended(self, path: Address) -> Iterator[Path]:
        """In a local folder, put at the end; where the store is away, there are worse losses."""
        with tempfile.TemporaryDirectory(dir=_own_folder()) as folder:
            temporary = Path(folder) / path.name
            with suppress(FileNotFoundError):
                temporary.write_bytes(path.read_bytes())
            try:
                yield temporary
            finally:
                with suppress(DepthmaskError):
                    object_store.put(path.root, path.key, temporary)

    def read(self, path: Address, most: int) -> bytes:
        with object_store.stream(path.root, path.key) as (found, pieces):
            if found.bytes > most:
                raise ValueError("no file of ours")
            return b"".join(pieces)

    def open(self, folder: Address, file: ShardFile) -> Opened:
        return _Ranges(folder / file.name, file)

    def stream(self, folder: Address, file: ShardFile) -> BinaryIO:
        return io.BufferedReader(_Raw(_Ranges(folder / file.name, file), file.bytes), _BUFFER)

    def difference(self, folder: Address, file: ShardFile) -> str | None:
        path = folder / file.name
        digest = hashlib.sha256()
        try:
            with object_store.stream(path.root, path.key) as (found, pieces):
                if found.bytes != file.bytes:
                    return f"has {found.bytes:,} bytes and was published with {file.bytes:,}"
                for piece in pieces:
                    digest.update(piece)
        except FileNotFoundError:
            return "is missing"
        same = digest.hexdigest() == file.sha256
        return None if same else "has another content (sha256 differs)"

    def stands(self, folder: Address, file: ShardFile) -> bool:
        """By size and etag, one request; what was copied here has another etag and is hashed."""
        path = folder / file.name
        found = object_store.head(path.root, path.key)
        if found is None or found.bytes != file.bytes:
            return False
        return found.version.etag == file.etag or self.difference(folder, file) is None

    def files(self, folder: Address) -> Iterator[str]:
        return (path.key[len(folder.key) + 1 :] for path in folder.rglob("*"))

    def remove(self, path: Address) -> None:
        object_store.delete(path.root, [path.key, *(one.key for one in path.rglob("*"))])

    def make_folder(self, path: Address) -> None:
        """Nothing: a folder is the beginning of a name."""

    def remove_leftovers(self, output: Address) -> None:
        """Drafts on this machine; objects are whole or not there."""
        shutil.rmtree(self.drafts(output), ignore_errors=True)

    def free(self, output: Address) -> None:
        """Nobody counts."""

    def locked(self, output: Address) -> AbstractContextManager[Callable[[], None]]:
        return leased(output / LOCK, output)


class _Ranges:
    """An object, of which each read asks for a range; it has to have the size it had."""

    def __init__(self, path: Address, file: ShardFile) -> None:
        self._path = path
        self._file = file

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """One request for what lies side by side."""
        start = min(offset for offset, _ in spans)
        stop = max(offset + size for offset, size in spans)
        if stop - start <= sum(size for _, size in spans) + _GAP:
            content = memoryview(self._get(start, stop))
            return [bytes(content[at - start : at - start + size]) for at, size in spans]
        return [self._get(offset, offset + size) for offset, size in spans]

    def close(self) -> None:
        """Nothing is held."""

    def _get(self, start: int, stop: int) -> bytes:
        if start == stop:
            return b""
        try:
            found, content = object_store.get(self._path.root, self._path.key, (start, stop))
        except FileNotFoundError as error:
            raise DepthmaskError(str(error)) from None
        if found.bytes != self._file.bytes:
            raise self._file.not_as_published(self._path)
        return content


class _Raw(io.RawIOBase):
    """An object as a file that reads and seeks."""

    def __init__(self, ranges: _Ranges, size: int) -> None:
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


def _put(draft: Path, path: Path, shards: Address) -> ShardFile:
    name = path.relative_to(draft).as_posix()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target = shards / name
    version = object_store.put(target.root, target.key, path)
    return ShardFile(name, path.stat().st_size, digest, version.etag)


def _own_folder() -> Path:
    """A folder for temporary files that no other user of the machine can have prepared."""
    folder = Path(tempfile.gettempdir()) / f"depthmask-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not folder.is_dir() or folder.is_symlink() or status.st_uid != os.getuid():
        raise DepthmaskError(f"{folder}: not a folder of ours; remove it, or set TMPDIR=FOLDER")
    return folder
