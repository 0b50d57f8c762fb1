"""Writers: how encoded samples become the files of a shard, and how they are read back."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Protocol

from depthmask.data import Encoded, sample_key
from depthmask.output.record import Members, Record
from depthmask.stage import Stage


class ShardReader(Protocol):
    """Random access to the samples of one shard."""

    def read(self, number: int) -> Encoded:
        """The sample `number` (0 is the first of the shard)."""

    def close(self) -> None:
        """Give back files and memory."""


class Writer(Stage):
    """A pair of `write` and `read`; the same samples always give the same bytes."""

    kind: ClassVar[str] = "writer"

    @abstractmethod
    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `count` samples to one or more files in `folder`, named after `shard`.

        The framework syncs, hashes and publishes whatever lies in the folder afterwards. Returns
        where each member lies, or {} if `read` finds the samples by other means.
        """

    def read(self, folder: Path, record: Record) -> ShardReader:
        """Open a published shard; here by the places that `write` returned."""
        return MemberReader(folder, record)


class MemberReader:
    """Reads members at the offsets in the record: no scan of an archive, no index of its own."""

    def __init__(self, folder: Path, record: Record) -> None:
        self._folder = folder
        self._record = record
        self._open: dict[int, int] = {}

    def read(self, number: int) -> Encoded:
        """The members of sample `number`, as they were encoded."""
        members = {
            name: self._bytes(*places[number]) for name, places in self._record.members.items()
        }
        return Encoded(sample_key(self._record.start + number), members, {})

    def close(self) -> None:
        """Close the files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _bytes(self, file: int, offset: int, size: int) -> bytes:
        if len(self._record.files) > 1:
            return (self._folder / self._record.files[file].name).read_bytes()
        if file not in self._open:
            path = self._folder / self._record.files[file].name
            self._open[file] = os.open(path, os.O_RDONLY)
        return os.pread(self._open[file], size, offset)
