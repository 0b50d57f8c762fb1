"""Reads the files in a zip, a tar or a folder from an unknown source, without unpacking."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import zipfile
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage.record import MOST_BYTES
from depthmask.untrusted import untrusted

MOST_FILES = 20_000_000
"""The most files in one container; DepthMaskDataset's zip has 800,101."""


class Files(ABC):
    """A list of regular files with printable names. sha256: a hash over all of them."""

    names: Sequence[str]
    sha256: str

    @abstractmethod
    def read(self, number: int) -> bytes:
        """The content of the file `names[number]`; `DepthmaskError` if it is too large."""

    def _check(self, sizes: Sequence[int]) -> None:
        if len(self.names) > MOST_FILES:
            raise UsageError(f"{len(self.names):,} files; at most {MOST_FILES:,} are read")
        for name, size in zip(self.names, sizes, strict=True):
            if size > MOST_BYTES:
                raise UsageError(f"{name}: {size:,} bytes; at most {MOST_BYTES:,} are read")


def files(paths: Sequence[str]) -> Files:
    """The files at these paths; raises `UsageError` for a path that is no folder, zip or tar."""
    containers = [_container(Path(path)) for path in paths]
    return containers[0] if len(containers) == 1 else JoinedFiles(containers)


def _container(path: Path) -> Files:
    if path.is_dir():
        return FolderFiles(path)
    if not path.is_file():
        raise UsageError(f"{path}: no such file or folder")
    with untrusted(str(path)):
        if zipfile.is_zipfile(path):
            return ZipFiles(path)
        try:
            return TarFiles(path)
        except tarfile.TarError:
            raise UsageError(
                "neither a zip nor a plain tar (a compressed tar has no order to read in: "
                "unpack it first)"
            ) from None


class ZipFiles(Files):
    """The files in a zip archive; each process reads the directory of the archive once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.sha256 = _sha256(path)
        entries = [entry for entry in self._archive.infolist() if _is_readable(entry)]
        self._entries = [entry.filename for entry in entries]
        self.names = list(map(_printable, self._entries))
        self._check([entry.file_size for entry in entries])

    def read(self, number: int) -> bytes:
        """The content of the file, decompressed; its checksum is verified."""
        with untrusted(f"{self._path}: {self.names[number]}"):
            entry = self._archive.getinfo(self._entries[number])
            if entry.file_size > MOST_BYTES:
                raise DepthmaskError(f"more than {MOST_BYTES:,} bytes")
            # The archive never returns more bytes than the entry declares.
            return self._archive.read(entry)

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self._path)

    def __getstate__(self) -> dict[str, object]:
        return {key: value for key, value in vars(self).items() if key != "_archive"}


def _is_readable(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is a regular file, not encrypted, and stored or deflated."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    packed = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return not entry.is_dir() and kind in (0, stat.S_IFREG) and packed and not entry.flag_bits & 1


class TarFiles(Files):
    """The regular files in an uncompressed tar archive, read at their offsets."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.sha256 = _sha256(path)
        names, self._spans = [], []
        with tarfile.open(path, "r:") as archive:
            for entry in archive:
                # `archive` would keep every entry that it has read, a kilobyte each.
                archive.members = []  # type: ignore[attr-defined]
                if entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
                    names.append(_printable(entry.name))
                    self._spans.append((entry.offset_data, entry.size))
        self.names = names
        self._check([size for _, size in self._spans])

    def read(self, number: int) -> bytes:
        """The content of the file."""
        offset, size = self._spans[number]
        with self._path.open("rb") as file:
            return os.pread(file.fileno(), size, offset)


class FolderFiles(Files):
    """All regular files below a folder; links are skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        paths = sorted(_regular_files(path))
        self._entries = [file.relative_to(path).as_posix() for file in paths]
        self.names = list(map(_printable, self._entries))
        self._check([file.lstat().st_size for file in paths])
        digest = hashlib.sha256()
        for name, file in zip(self.names, paths, strict=True):
            digest.update(f"{_sha256(file)} {name}\n".encode())
        self.sha256 = digest.hexdigest()

    def read(self, number: int) -> bytes:
        """The content of the file; raises `DepthmaskError` if it has become a link."""
        path = self._path / self._entries[number]
        with untrusted(f"{self._path}: {self.names[number]}"):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                return file.read(MOST_BYTES)


class JoinedFiles(Files):
    """The files of several containers, one container after the other."""

    def __init__(self, containers: Sequence[Files]) -> None:
        self._containers = containers
        self.names = [name for container in containers for name in container.names]
        self._ends = list(accumulate(len(container.names) for container in containers))
        digests = "".join(container.sha256 for container in containers)
        self.sha256 = hashlib.sha256(digests.encode()).hexdigest()

    def read(self, number: int) -> bytes:
        """The content of the file, from its container."""
        position = bisect_right(self._ends, number)
        container = self._containers[position]
        return container.read(number - self._ends[position] + len(container.names))


def _regular_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if stat.S_ISREG(path.lstat().st_mode):
            yield path


def _printable(name: str) -> str:
    """The name with characters that cannot be printed as escapes, safe in messages."""
    return name if name.isprintable() else ascii(name)[1:-1]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
