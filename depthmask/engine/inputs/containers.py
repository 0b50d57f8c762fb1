"""Reads the files in a zip, a tar or a folder from an unknown source, without unpacking."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import zipfile
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from depthmask.errors import DepthmaskError, UsageError
from depthmask.stages.source._formats import SUFFIXES
from depthmask.storage.record import MOST_BYTES
from depthmask.untrusted import untrusted

MOST_FILES = 20_000_000
"""The most files in one container; DepthMaskDataset's zip has 800,101."""


class Files(ABC):
    """A list of regular files with printable names. path: where they are.

    origins: names that tell files of several containers apart.
    links: how many links were skipped.
    """

    path: Path
    names: Sequence[str]
    links: int = 0

    @cached_property
    def sha256(self) -> str:
        """A hash over all names and contents."""
        digest = hashlib.sha256()
        for number, name in enumerate(self.names):
            digest.update(f"{hashlib.sha256(self.read(number)).hexdigest()} {name}\n".encode())
        return digest.hexdigest()

    @property
    def origins(self) -> Sequence[str]:
        """The names, below the folder that all containers have in common."""
        return self.names

    @abstractmethod
    def read(self, number: int) -> bytes:
        """The content of the file `names[number]`; `DepthmaskError` if it is too large."""

    def _check_count(self) -> None:
        if len(self.names) > MOST_FILES:
            raise UsageError(
                f"{self.path}: {len(self.names):,} files; at most {MOST_FILES:,} are read; "
                "give a part of them"
            )


def files(paths: Sequence[str]) -> Files:
    """The files at these paths: folders, zips, tars, pictures, and beside those any other file.

    Raises `UsageError` for a path that is none of these.
    """
    containers: list[Files] = []
    loose: list[Path] = []
    for path in map(Path, paths):
        container = _container(path)
        if container is not None:
            containers.append(container)
        elif len(paths) > 1 or path.suffix.lower() in SUFFIXES:
            loose.append(path)
        else:
            raise UsageError(
                f"{path}: neither a picture (jpg, png, webp), nor a zip or a plain tar (a "
                "compressed tar has no order to read in: unpack it first)"
            )
    if loose:
        containers.append(LooseFiles(loose))
    return containers[0] if len(containers) == 1 else JoinedFiles(containers)


def _container(path: Path) -> Files | None:
    """The folder or the archive at a path; None for another file."""
    if path.is_dir():
        return FolderFiles(path)
    if path.suffix.lower() in SUFFIXES:
        return None
    with untrusted(str(path)):
        if not path.is_file():
            raise UsageError("neither a folder nor a regular file; remove it, or name others")
        if zipfile.is_zipfile(path):
            return ZipFiles(path)
        try:
            return TarFiles(path)
        except tarfile.TarError:
            return None


class ZipFiles(Files):
    """The files in a zip archive; each process reads the directory of the archive once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        entries = [entry for entry in self._archive.infolist() if _is_readable(entry)]
        self._entries = [entry.filename for entry in entries]
        self.names = list(map(_plain, self._entries))
        self._check_count()

    @cached_property
    def sha256(self) -> str:
        """The hash of the archive."""
        return _sha256(self.path)

    def read(self, number: int) -> bytes:
        """The content of the file, decompressed; its checksum is verified."""
        with untrusted(f"{self.path}: {self.names[number]}"):
            entry = self._archive.getinfo(self._entries[number])
            _check_size(entry.file_size)
            # The archive never returns more bytes than the entry declares.
            return self._archive.read(entry)

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path)

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
        self.path = path
        names, self._spans = [], []
        with tarfile.open(path, "r:") as archive:
            for entry in archive:
                # `archive` would keep every entry that it has read, a kilobyte each.
                archive.members = []  # type: ignore[attr-defined]
                if entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
                    names.append(_plain(entry.name))
                    self._spans.append((entry.offset_data, entry.size))
        self.names = names
        self._check_count()

    @cached_property
    def sha256(self) -> str:
        """The hash of the archive."""
        return _sha256(self.path)

    def read(self, number: int) -> bytes:
        """The content of the file."""
        offset, size = self._spans[number]
        with untrusted(f"{self.path}: {self.names[number]}"), self.path.open("rb") as file:
            _check_size(size)
            return os.pread(file.fileno(), size, offset)


class FolderFiles(Files):
    """All regular files below a folder; links are skipped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        paths, self.links = _regular_files(path)
        self._entries = [file.relative_to(path).as_posix() for file in paths]
        self.names = list(map(_printable, self._entries))
        self._check_count()

    def read(self, number: int) -> bytes:
        """The content of the file; raises `DepthmaskError` if it has become a link."""
        path = self.path / self._entries[number]
        with untrusted(f"{self.path}: {self.names[number]}"):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                return _content(file)


class LooseFiles(Files):
    """Single files, which may be links; a name is that of the file alone."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.path = common_folder([path.parent for path in paths])
        self._files = [path.resolve() for path in paths]
        self.names = [_printable(path.name) for path in paths]
        self._origins = [_printable(os.path.relpath(path.absolute(), self.path)) for path in paths]
        self._check_count()

    @property
    def origins(self) -> Sequence[str]:
        """The paths below the folder that the files have in common."""
        return self._origins

    def read(self, number: int) -> bytes:
        """The content of the file."""
        with untrusted(str(self._files[number])), self._files[number].open("rb") as file:
            return _content(file)


class JoinedFiles(Files):
    """The files of several containers, one container after the other."""

    def __init__(self, containers: Sequence[Files]) -> None:
        self._containers = containers
        self.path = common_folder([container.path for container in containers])
        self.names = [name for container in containers for name in container.names]
        self.links = sum(container.links for container in containers)
        self._ends = list(accumulate(len(container.names) for container in containers))

    @cached_property
    def sha256(self) -> str:
        """A hash over those of the containers."""
        digests = "".join(container.sha256 for container in self._containers)
        return hashlib.sha256(digests.encode()).hexdigest()

    @property
    def origins(self) -> Sequence[str]:
        """The names, each below the path of its container."""
        return [
            os.path.normpath(os.path.relpath(container.path.absolute() / name, self.path))
            for container in self._containers
            for name in container.origins
        ]

    def read(self, number: int) -> bytes:
        """The content of the file, from its container."""
        position = bisect_right(self._ends, number)
        container = self._containers[position]
        return container.read(number - self._ends[position] + len(container.names))


def _content(file: BinaryIO) -> bytes:
    _check_size(os.fstat(file.fileno()).st_size)
    return file.read(MOST_BYTES)


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise DepthmaskError(f"{size:,} bytes; at most {MOST_BYTES:,} are read")


def common_folder(folders: Sequence[Path]) -> Path:
    """The deepest folder that holds all of these."""
    return Path(os.path.commonpath([folder.absolute() for folder in folders]))


def _regular_files(folder: Path) -> tuple[list[Path], int]:
    """The regular files below a folder, sorted, and the number of links."""
    paths, links = [], 0
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        links += stat.S_ISLNK(mode)
        if stat.S_ISREG(mode):
            paths.append(path)
    return paths, links


def _printable(name: str) -> str:
    """The name with characters that cannot be printed as escapes, safe in messages."""
    return name if name.isprintable() else ascii(name)[1:-1]


def _plain(name: str) -> str:
    """The name of an entry without the `./` that `tar -cf photos.tar .` writes before each."""
    return _printable("/".join(part for part in name.split("/") if part != "."))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
