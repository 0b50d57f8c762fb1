"""Reading a dataset: a random-access sequence of samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from os import PathLike
from typing import Any

from depthmask import forks
from depthmask.codec.sample import decode
from depthmask.config.build import stage_from_plain
from depthmask.data import DepthContract, Encoded, Sample, sample_key
from depthmask.errors import DepthmaskError, UsageError
from depthmask.plan.layout import shard_name
from depthmask.reading.open_shards import Opened, OpenShards
from depthmask.reading.samples import Samples
from depthmask.statistics import Statistics
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.location import Address, Location, location
from depthmask.storage.publish import require_sealed
from depthmask.storage.record import Record
from depthmask.storage.verify import read_record
from depthmask.untrusted import untrusted


class Dataset(Samples):
    """The samples of a finished dataset, by number.

    `ds[i]` has `.image` uint8 [h, w, 3], `.mask` uint8 [h, w], `.depth` float32 [dh, dw] by
    `ds.contract` or None, and `.meta`. Pickles small, opens its files at first use; threads may
    share it, and forked processes may go on with it.
    """

    def __init__(
        self, path: Location, metadata: DatasetInfo | None = None, *, only: str | None = None
    ) -> None:
        """metadata: the content of `dataset.json` if it is not written yet. only: one split."""
        self.path = path
        self.metadata = metadata or _read_info(path / "dataset.json")
        self.only = only
        self._numbering, samples = self.metadata.numbering, self.metadata.samples
        self._length = samples if only is None else self._numbering.count(only, samples)
        self._most_pixels = self.metadata.most_pixels
        self._live_writer: Any = None
        self._lock = forks.Lock()
        self._shards = OpenShards()

    def split(self, name: str) -> Dataset:
        """The samples of one split, numbered from 0; UsageError if there is no such split."""
        if name not in self.splits:
            raise UsageError(f"{self.path}: no split {name!r}; it has {', '.join(self.splits)}")
        return Dataset(self.path, self.metadata, only=name)

    @property
    def splits(self) -> tuple[str, ...]:
        """Their names."""
        return self._numbering.names

    def __len__(self) -> int:
        return self._length

    def at(self, numbers: Sequence[int]) -> Iterator[Sample]:
        """Read one when the one before has been taken."""
        for number in numbers:
            encoded = self.encoded(number)
            with untrusted(str(self.path)):
                sample = decode(encoded, self._most_pixels)
            yield sample

    def encoded(self, index: int) -> Encoded:
        """Sample `index` as its bytes on disk; negative numbers count from the end."""
        number = self.number(index)
        if self.only is None:
            split, rank = self._numbering.at(number)
        else:
            split, rank, number = self.only, number, self._numbering.index(self.only, number)
        shard, writer = rank // self.metadata.shard_size, self._writer
        with self._shards.using(
            shard_name(split, shard), lambda: self._opened(split, shard), writer.open_shards
        ) as (record, reader):
            return reader.read(rank - record.start, sample_key(number))

    def records(self) -> Iterator[Record]:
        """The records of all shards, in order."""
        for split, count in self.metadata.shard_counts().items():
            if self.only in (None, split):
                yield from (self._record(split, number) for number in range(count))

    @property
    def contract(self) -> DepthContract | None:
        """What the depth values mean, None if there are none."""
        return self.metadata.contract

    @property
    def info(self) -> dict[str, Any]:
        """The content of `dataset.json` as plain data; `metadata` has it with types."""
        return self.metadata.as_json()

    @property
    def stats(self) -> dict[str, Any]:
        """Mean and standard deviation for each channel of image, mask and depth."""
        if self.only is None:
            return dict(self.metadata.statistics)
        statistics = Statistics()
        with untrusted(str(self.path)):
            for record in self.records():
                statistics.merge(Statistics.from_sums(record.statistics))
            return statistics.summary()

    @property
    def _writer(self) -> Any:
        with self._lock:
            if self._live_writer is None:
                plan = require_sealed(self.path / "plan.json")
                with untrusted(str(self.path / "plan.json")):
                    self._live_writer = stage_from_plain("writer", plan["config"]["writer"])
            return self._live_writer

    def _record(self, split: str, number: int) -> Record:
        record = require_record(self.path, shard_name(split, number))
        shard_size = self.metadata.shard_size
        start = number * shard_size
        stop = min(start + shard_size, self._numbering.count(split, self.metadata.samples))
        if (record.start, record.stop) != (start, stop):
            raise DepthmaskError(
                f"{self.path}: the record of {record.shard} is of the samples "
                f"{record.start}..{record.stop - 1}, not {start}..{stop - 1}"
            )
        return record

    def _opened(self, split: str, number: int) -> Opened:
        record = self._record(split, number)
        return record, self._writer.read(self.path / "shards", record)

    def close(self) -> None:
        """Close all files; they open again when needed."""
        self._shards.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), only=self.only), (self.path, self.metadata)

    def __repr__(self) -> str:
        which = f" of {self.only}" if self.only else ""
        return f"Dataset({str(self.path)!r}, {len(self)} samples{which})"


def _read_info(path: Location) -> DatasetInfo:
    data = require_sealed(path)
    with untrusted(str(path)):
        return DatasetInfo.from_json(data)


def require_record(output: Location, shard: str) -> Record:
    """The record of a published shard; DepthmaskError if it is not there or not whole."""
    record = read_record(output, shard)
    if record is None:
        raise DepthmaskError(
            f"{output}: the record of {shard} is missing or damaged; "
            f"`python -m depthmask verify {output} --repair` makes the shard again"
        )
    return record


def open(path: str | PathLike[str] | Address) -> Dataset:
    """Open a finished dataset; UsageError if there is none at `path`."""
    folder = location(path)
    if not (folder / "dataset.json").is_file():
        unfinished = (folder / "plan.json").is_file()
        raise UsageError(
            f"{folder}: the dataset is unfinished; run its command again to complete it"
            if unfinished
            else f"{folder}: no dataset here (dataset.json is missing)"
        )
    return Dataset(folder)
