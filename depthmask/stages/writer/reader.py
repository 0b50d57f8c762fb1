"""Readers: random access to the samples of a published shard."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol

from depthmask.data import Encoded
from depthmask.storage.location import location
from depthmask.storage.path import OpenShardFile, StorePath
from depthmask.storage.record import Record, ShardFile

_MOST_OPEN_FILES = 3
"""A reader keeps the files of a shard open if they are not more; `writer=folder` has thousands."""


class ShardReader(Protocol):
    """Random access to the samples of one shard.

    Threads may read at the same time; a forked process makes readers of its own. `close` is called
    when no thread is reading.
    """

    def read(self, number: int, key: str) -> Encoded:
        """Sample `number` of the shard, counted from 0, whose key is `key`."""

    def close(self) -> None:
        """Close files and free memory; a later `read` opens the shard again."""


def open_published(folder: StorePath | Path, file: ShardFile) -> BinaryIO:
    """Open a published file for reading and seeking, as `file.name` below `folder`.

    Raises `DepthmaskError` unless it has the size in the record. Links are not followed: a dataset
    from elsewhere must not make us read, or wait for, a file outside of it.
    """
    return location(folder).stream_shard_file(file)


class MemberReader:
    """Reads members at the offsets in the record, without scanning the archive."""

    def __init__(self, folder: StorePath | Path, record: Record) -> None:
        self._folder = location(folder)
        self._record = record
        self._archives: dict[int, OpenShardFile] = {}
        """Number of a file -> the open file; `setdefault` keeps that of the first thread."""

    def read(self, number: int, key: str) -> Encoded:
        """The encoded members of sample `number`."""
        members = self._record.members
        ranges = [of_member[number].tolist() for of_member in members.values()]
        if len(self._record.files) == 1:
            contents = self._from_archive(0, [(offset, size) for _, offset, size in ranges])
        elif len(self._record.files) <= _MOST_OPEN_FILES:
            contents = [
                self._from_archive(file, [(offset, size)])[0] for file, offset, size in ranges
            ]
        else:
            contents = [self._from_file(*one) for one in ranges]
        return Encoded(key, dict(zip(members, contents, strict=True)), {})

    def close(self) -> None:
        """Close the archives."""
        while self._archives:
            self._archives.popitem()[1].close()

    def _from_archive(self, file: int, spans: list[tuple[int, int]]) -> list[bytes]:
        archive = self._archives.get(file)
        if archive is None:
            opened = self._folder.open_shard_file(self._record.files[file])
            archive = self._archives.setdefault(file, opened)
            if archive is not opened:
                # Another thread was first.
                opened.close()
        return archive.read(spans)

    def _from_file(self, file: int, offset: int, size: int) -> bytes:
        opened = self._folder.open_shard_file(self._record.files[file])
        try:
            return opened.read([(offset, size)])[0]
        finally:
            opened.close()
