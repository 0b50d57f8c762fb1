"""What is said about a whole dataset, gathered while the records of its shards pass by once."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterable

from depthmask.reports.card.facts import MOST_LISTED_FILES
from depthmask.statistics import Statistics
from depthmask.storage.dataset_info import manifest_lines
from depthmask.storage.record import Record, ShardFile

_IN_MEMORY = 1 << 26
"""Bytes of manifest lines, some 90 for each file; beyond that they wait in a temporary file."""


class Totals:
    """Statistics, bytes, files and manifest of the records that were added, in any order."""

    def __init__(self, kept: Collection[str] = ()) -> None:
        """kept: the shards whose records are needed again, for the samples of the preview."""
        self.statistics = Statistics()
        self.bytes = 0
        self.records: dict[str, Record] = {}
        """The records of the shards in `kept`."""
        self._kept = kept
        self._files: dict[str, tuple[ShardFile, ...]] = {}
        self._file_count = 0
        # Closed by `close`: the totals outlive this function.
        self._lines = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._spans: dict[str, tuple[int, int]] = {}
        """Where the lines of each shard are: the manifest has them in the order of the shards."""

    def add(self, record: Record) -> None:
        """Count a shard."""
        self.statistics.merge(Statistics.from_sums(record.statistics))
        self.bytes += record.bytes
        if record.shard in self._kept:
            self.records[record.shard] = record
        self._file_count += len(record.files)
        if self._file_count <= MOST_LISTED_FILES or not self._files:
            self._files[record.shard] = record.files
        lines = manifest_lines(record.files)
        self._spans[record.shard] = self._lines.tell(), len(lines)
        self._lines.write(lines)

    def manifest_sha256(self, shards: Iterable[str]) -> str:
        """The hash over the files of all shards, in this order of their names."""
        manifest, end = hashlib.sha256(), self._lines.tell()
        for shard in shards:
            offset, size = self._spans[shard]
            self._lines.seek(offset)
            manifest.update(self._lines.read(size))
        self._lines.seek(end)
        return manifest.hexdigest()

    def files(self, shards: Iterable[str]) -> tuple[ShardFile, ...] | None:
        """The files of all shards, in this order; None if they are too many to list."""
        if self._file_count > MOST_LISTED_FILES:
            return None
        return tuple(file for shard in shards for file in self._files[shard])

    @property
    def suffix(self) -> str:
        """What the name of a shard's first file ends with, as `tar`."""
        files = next(iter(self._files.values()))
        return files[0].name.rpartition(".")[2]

    def close(self) -> None:
        """Give back the temporary file."""
        self._lines.close()
