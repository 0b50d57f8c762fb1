"""Sums up the records of a dataset, so that each record is read only once."""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import numpy as np

from depthmask.reports.card.facts import MOST_LISTED_FILES
from depthmask.statistics.pixels import Statistics
from depthmask.statistics.redraws import Redraws
from depthmask.storage.dataset_info import manifest_lines
from depthmask.storage.record import Record, ShardFile

_IN_MEMORY = 1 << 26
"""The most bytes of manifest lines in memory, 90 for each file; more go to a temporary file."""


class _Spans:
    """Where the manifest lines of a split's shards are: 24 bytes of memory for each shard."""

    def __init__(self) -> None:
        self._numbers, self._offsets, self._sizes = array("q"), array("q"), array("q")
        self._seen = bytearray()
        """A bit for each shard number."""

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, number: int) -> bool:
        byte, bit = divmod(number, 8)
        return byte < len(self._seen) and bool(self._seen[byte] >> bit & 1)

    def add(self, number: int, offset: int, size: int) -> None:
        """Note the lines of a shard that is not in here yet."""
        self._numbers.append(number)
        self._offsets.append(offset)
        self._sizes.append(size)
        byte, bit = divmod(number, 8)
        self._seen.extend(bytes(max(0, byte + 1 - len(self._seen))))
        self._seen[byte] |= 1 << bit

    def in_order(self) -> Iterator[tuple[int, int]]:
        """The (offset, size) of each shard, by the numbers of the shards."""
        for position in np.argsort(np.array(self._numbers)).tolist():
            yield self._offsets[position], self._sizes[position]


class Totals:
    """Statistics, redraws, bytes, files and manifest over all added records, in any order."""

    def __init__(self, kept: Collection[str] = ()) -> None:
        """kept: the names of shards whose records are kept, to read the samples of the preview."""
        self.statistics = Statistics()
        self.redraws = Redraws()
        self.bytes = 0
        self.records: dict[str, Record] = {}
        """The records of the shards in `kept`."""
        self._kept = kept
        self._files: dict[str, tuple[ShardFile, ...]] = {}
        self._file_count = 0
        # Not in a `with` block, since `close` closes it.
        self._lines = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._spans: defaultdict[str, _Spans] = defaultdict(_Spans)
        """By split, as the manifest has the lines in the order of the shards."""

    def __len__(self) -> int:
        return sum(map(len, self._spans.values()))

    def __contains__(self, shard: str) -> bool:
        split, number = _split_and_number(shard)
        return number in self._spans[split]

    def add(self, record: Record) -> None:
        """Count a shard, once however often a runner yields its record."""
        if record.shard in self:
            return
        self.statistics.merge(Statistics.from_sums(record.statistics))
        self.redraws.merge(Redraws.from_json(record.redraws))
        self.bytes += record.bytes
        if record.shard in self._kept:
            self.records[record.shard] = record
        self._file_count += len(record.files)
        if self._file_count <= MOST_LISTED_FILES or not self._files:
            self._files[record.shard] = record.files
        lines = manifest_lines(record.files)
        split, number = _split_and_number(record.shard)
        self._spans[split].add(number, self._lines.tell(), len(lines))
        self._lines.write(lines)

    def manifest_sha256(self, splits: Iterable[str]) -> str:
        """The hash over the files of all shards, split by split in this order."""
        manifest, end = hashlib.sha256(), self._lines.tell()
        for split in splits:
            for offset, size in self._spans[split].in_order():
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


def _split_and_number(shard: str) -> tuple[str, int]:
    split, _, number = shard.rpartition("-")
    return split, int(number)
