"""Writes the members of a shard to one archive, for the tar and the zip writer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from depthmask.codec.zip import ArchiveFullError
from depthmask.data import Encoded
from depthmask.errors import DepthmaskError
from depthmask.storage.record import Members


class Archive(Protocol):
    """An archive open for writing."""

    def add(self, name: str, data: bytes) -> int:
        """Append a member; returns the offset of its content."""

    def close(self) -> None:
        """Write the end of the archive."""


class ArchiveFormat(Protocol):
    """Begins an archive in an open file."""

    def __call__(self, file: BinaryIO) -> Archive: ...


def write_archive(path: Path, begin: ArchiveFormat, samples: Iterable[Encoded]) -> Members:
    """Write every member as `KEY.MEMBER`, samples in order.

    Returns the (file, offset, size) of each member. Raises `DepthmaskError` if the archive is full.
    """
    members: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
    with path.open("wb", buffering=1 << 20) as file:
        archive = begin(file)
        for number, sample in enumerate(samples):
            try:
                _add(archive, sample, members)
            except ArchiveFullError as full:
                # Rare, since `check_shard_size` has estimated the size with a margin.
                fits = number * 9 // 10
                raise DepthmaskError(f"{full}: shard_size={fits} fits") from None
        archive.close()
    return members


def _add(archive: Archive, sample: Encoded, members: dict[str, list[tuple[int, int, int]]]) -> None:
    for name, data in sample.members.items():
        offset = archive.add(f"{sample.key}.{name}", data)
        members[name].append((0, offset, len(data)))
