"""Sums up the records of a dataset, so that each record is read only once."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterable

from depthmask.reports.card.facts import MOST_LISTED_FILES
from depthmask.statistics import Statistics
from depthmask.storage.dataset_info import manifest_lines
from depthmask.storage.record import Record, ShardFile

_IN_MEMORY = 1 << 26
"""The most bytes of manifest lines in memory, 90 for each file; more go to a temporary file."""


class Totals:
    """Statistics, bytes, files and manifest over all added records, in any order."""

    def __init__(self, kept: Collection[str] = ()) -> None:
        """kept: the names of shards whose records are kept, to read the samples of the preview."""
        self.statistics = Statistics()
        self.bytes = 0
        self.records: dict[str, Record] = {}
        """The records of the shards in `kept`."""
        self._kept = kept
        self._files: dict[str, tuple[ShardFile, ...]] = {}
        self._file_count = 0
        # Not in a `with` block, since `close` closes it.
        self._lines = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._line_spans: dict[str, tuple[int, int]] = {}
        """Shard -> (offset, size) of its lines; the manifest has them in the order of shards."""

    def add(self, record: Record) -> None:
        """Add the record of a shard."""
        self.statistics.merge(Statistics.from_sums(record.statistics))
        self.bytes += record.bytes
        if record.shard in self._kept:
            self.records[record.shard] = record
        self._file_count += len(record.files)
        if self._file_count <= MOST_LISTED_FILES or not self._files:
            self._files[record.shard] = record.files
        lines = manifest_lines(record.files)
        self._line_spans[record.shard] = self._lines.tell(), len(lines)
        self._lines.write(lines)

    def manifest_sha256(self, shards: Iterable[str]) -> str:
        """The hash over the files of these shards, in this order."""
        manifest, end = hashlib.sha256(), self._lines.tell()
        for shard in shards:
            offset, size = self._line_spans[shard]
            self._lines.seek(offset)
            manifest.update(self._lines.read(size))
        self._lines.seek(end)
        return manifest.hexdigest()

    def files(self, shards: Iterable[str]) -> tuple[ShardFile, ...] | None:
        """The files of these shards, in this order; None if there are too many to list."""
        if self._file_count > MOST_LISTED_FILES:
            return None
        return tuple(file for shard in shards for file in self._files[shard])

    @property
    def suffix(self) -> str:
        """The suffix of the shard files, such as `tar`."""
        files = next(iter(self._files.values()))
        return files[0].name.rpartition(".")[2]

    def close(self) -> None:
        """Delete the temporary file."""
        self._lines.close()
