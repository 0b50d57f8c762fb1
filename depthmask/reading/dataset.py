"""Reads a finished dataset as a random-access sequence of samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from os import PathLike
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from depthmask import forks
from depthmask.codec.members import JSON
from depthmask.codec.sample import decode
from depthmask.config.build import stage_from_plain
from depthmask.config.needs import require_stages
from depthmask.config.plan_config import config_of
from depthmask.data import DepthContract, Encoded, Sample, sample_key
from depthmask.errors import DepthmaskError, UsageError
from depthmask.plan.layout import shard_name
from depthmask.reading.open_shards import OpenShard, OpenShards
from depthmask.reading.samples import Samples
from depthmask.reading.splits import Splits
from depthmask.reading.summary import summary
from depthmask.statistics.pixels import Statistics
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.publish import require_sealed
from depthmask.storage.record import Record, is_inside
from depthmask.storage.records import Records
from depthmask.storage.shell import command, path_word, setting
from depthmask.untrusted import other_accents, untrusted


class MovedShard(NamedTuple):
    """A shard that lies elsewhere. folder: with `shards/` in it, like that of a dataset."""

    folder: StorePath
    record: Record


class Dataset(Samples):
    """The samples of a finished dataset, by number.

    `ds[i]` has `.image` uint8 [h, w, 3], `.mask` uint8 [h, w], `.depth` float32 [dh, dw] by
    `ds.contract` or None, and `.meta`. Files are opened at first use, so a pickled dataset
    is small. Threads may share a dataset, and forked processes may go on using it.
    """

    def __init__(
        self,
        path: str | PathLike[str] | StorePath,
        metadata: DatasetInfo | None = None,
        *,
        only: str | None = None,
        known: Mapping[str, Record] = MappingProxyType({}),
        folder: StorePath | None = None,
        moved: Mapping[str, MovedShard] = MappingProxyType({}),
    ) -> None:
        """Read `dataset.json`; UsageError if it is missing or damaged.

        metadata: its content, if it is not written yet. only: the name of the split to read, None
        for all. known: records that are in memory already, by the name of the shard. folder: where
        the shards are read, if `path` is relative and the working folder may have changed, or
        derived files go elsewhere. moved: shards that are read elsewhere, by name.
        """
        self.path = location(path)
        self._folder = folder or self.path.absolute()
        self.metadata = metadata or _read_info(self.path / "dataset.json")
        self.only = only
        self._known = known
        self._moved = moved
        self._numbering, samples = self.metadata.numbering, self.metadata.samples
        self._length = samples if only is None else self._numbering.count(only, samples)
        self._most_pixels = self.metadata.most_pixels
        self._cached_writer: Any = None
        self._lock = forks.Lock()
        self._shards = OpenShards()

    def split(self, name: str) -> Dataset:
        """Return the samples of a split, numbered from 0; UsageError if it does not exist."""
        if name not in self.splits:
            raise UsageError(f"{self.path}: no split {name!r}; it has {', '.join(self.splits)}")
        known, folder, moved = self._known, self._folder, self._moved
        return Dataset(self.path, self.metadata, only=name, known=known, folder=folder, moved=moved)

    @property
    def splits(self) -> Splits:
        """The names of the splits; `ds.splits["val"]` is the number of samples in one."""
        return Splits({name: split.samples for name, split in self.metadata.splits.items()})

    @property
    def foreground_labels(self) -> tuple[str, ...]:
        """The labels of all foregrounds of the source, sorted; empty if they are not known."""
        return self.metadata.foreground_labels

    def __len__(self) -> int:
        return self._length

    def at(self, numbers: Sequence[int]) -> Iterator[Sample]:
        """Yield the samples with these numbers; each is read when it is asked for."""
        for number in numbers:
            encoded = self.encoded(number)
            with untrusted(str(self.path)):
                sample = decode(encoded, self._most_pixels)
            yield sample

    def encoded(self, index: int) -> Encoded:
        """Return the encoded members of a sample; a negative index counts from the end."""
        number = self.number(index)
        if self.only is None:
            split, rank = self._numbering.at(number)
        else:
            split, rank, number = self.only, number, self._numbering.index(self.only, number)
        shard, writer = rank // self.metadata.shard_size, self.writer
        with self._shards.using(
            shard_name(split, shard), lambda: self._open_shard(split, shard), writer.open_shards
        ) as (record, reader):
            encoded = reader.read(rank - record.start, sample_key(number))
        return replace(encoded, key=self._name_in(encoded)) if self.metadata.named else encoded

    def _name_in(self, encoded: Encoded) -> str:
        """The key of a sample that is named after its picture, from its JSON."""
        with untrusted(f"{self.path}: sample {encoded.key}"):
            key = orjson.loads(encoded.members[JSON.name])["key"]
            if type(key) is not str or not is_inside(key):
                raise DepthmaskError(f"{key!r} is not the name of a sample")
            return key

    def records(self) -> Iterator[Record]:
        """Yield the records of all shards, in order."""
        for split, count in self.metadata.shard_counts().items():
            if self.only in (None, split):
                yield from (self._record(split, number) for number in range(count))

    @property
    def contract(self) -> DepthContract | None:
        """What the depth values mean; None without depth."""
        return self.metadata.contract

    @property
    def info(self) -> dict[str, Any]:
        """The content of `dataset.json` as plain data; `metadata` has it with types."""
        return self.metadata.as_json()

    @property
    def stats(self) -> dict[str, Any]:
        """Mean and standard deviation of each channel of image, mask and depth."""
        if self.only is None:
            return dict(self.metadata.statistics)
        statistics = Statistics()
        with untrusted(str(self.path)):
            for record in self.records():
                statistics.merge(Statistics.from_sums(record.statistics))
            return statistics.summary()

    @property
    def writer(self) -> Any:
        """The writer that reads the shards; UsageError with its package if that is missing."""
        with self._lock:
            if self._cached_writer is None:
                plan = require_sealed(self._folder / "plan.json")
                with untrusted(str(self.path / "plan.json")):
                    require_stages(plan, ("writer",))
                    self._cached_writer = stage_from_plain("writer", config_of(plan)["writer"])
            return self._cached_writer

    def _record(self, split: str, number: int) -> Record:
        """The record of a shard; `DepthmaskError` unless it describes the samples of that shard."""
        name = shard_name(split, number)
        record = self._known_record(name) or Records(self._folder).require(name)
        shard_size = self.metadata.shard_size
        start = number * shard_size
        stop = min(start + shard_size, self._numbering.count(split, self.metadata.samples))
        if (record.start, record.stop) != (start, stop):
            raise DepthmaskError(
                f"{self.path}: the record of {record.shard} describes the samples "
                f"{record.start}..{record.stop - 1} instead of {start}..{stop - 1}"
            )
        return record

    def _open_shard(self, split: str, number: int) -> OpenShard:
        record = self._record(split, number)
        return record, self.writer.read(self.folder_of(record), record)

    def folder_of(self, record: Record) -> StorePath:
        """The folder of the files of a shard."""
        moved = self._moved.get(record.shard)
        return (self._folder if moved is None else moved.folder) / "shards"

    def _known_record(self, shard: str) -> Record | None:
        moved = self._moved.get(shard)
        return self._known.get(shard) if moved is None else moved.record

    def close(self) -> None:
        """Close all files; they are reopened when needed."""
        self._shards.close()

    def __reduce__(self) -> tuple[Any, ...]:
        make = partial(type(self), only=self.only, folder=self._folder)
        return make, (self.path, self.metadata)

    def __repr__(self) -> str:
        pictures = [kind for kind in self.metadata.statistics if kind != "depth"]
        labels = [label.name for stage in self.metadata.labels for label in stage.outputs]
        contents = summary(
            len(self),
            self.metadata.size_text,
            self.splits,
            self.only,
            pictures + labels,
            self.contract,
        )
        return f"Dataset({str(self.path)!r}, {contents})"


def _read_info(path: StorePath) -> DatasetInfo:
    data = require_sealed(path)
    with untrusted(str(path)):
        return DatasetInfo.from_json(data)


def open(path: str | PathLike[str] | StorePath) -> Dataset:
    """Open a finished dataset; UsageError if there is none at `path`, or none that can be read."""
    dataset = open_summary(path)
    _ = dataset.writer  # It raises here rather than at the first sample.
    return dataset


def open_summary(path: str | PathLike[str] | StorePath) -> Dataset:
    """Open a finished dataset whose samples are not read, so that its writer may be missing."""
    folder = location(path)
    if not (folder / "dataset.json").has_name():
        if (folder / "plan.json").has_name():
            raise UsageError(
                f"{folder}: the dataset is unfinished; "
                f"`{command('resume', path_word(folder))}` completes it"
            )
        raise no_dataset(folder)
    return Dataset(folder)


def no_dataset(path: StorePath) -> UsageError:
    """The error for a path without `plan.json`: it names the dataset above, or those below."""
    for folder in _above(path):
        if (folder / "plan.json").is_file():
            kind = "a file" if path.is_file() else "a folder"
            return UsageError(f"{path} is {kind} of the dataset {folder}; give {folder} instead")
    names = _datasets_to_name(path)
    if names:
        count = "a dataset" if len(names) == 1 else f"{len(names):,} datasets"
        return UsageError(f"{path} holds {count}, and is none; give one, such as {path / names[0]}")
    return UsageError(f"{path}: no dataset here ({_why_none(path)})")


def _why_none(path: StorePath) -> str:
    """Why a path is no dataset, and what was most likely meant."""
    if (path / "bg").is_dir() and (path / "fg").is_dir():
        root = setting("source.root", path_word(path))
        return (
            "it holds assets; make a dataset of them: "
            f"{command('source=assets', root, 'output=OUT')}"
        )
    if path.exists():
        return "dataset.json is missing"
    others = _datasets_to_name(path.parent)
    alike = [one for one in others if other_accents(path.name, one)]
    if close := alike or get_close_matches(path.name, others, 1):
        accents = other_accents(path.name, close[0])
        return f"there is no such folder; did you mean {path.parent / close[0]}?{accents}"
    return "there is no such folder"


def _datasets_to_name(folder: StorePath) -> list[str]:
    """The names of the datasets in a folder for a hint; none if it cannot be listed."""
    try:
        return list(datasets_in(folder)) if folder.is_dir() else []
    except DepthmaskError:
        # An object store may have an object of which the name is no path.
        return []


def _above(path: StorePath) -> Iterator[StorePath]:
    """Yield the folders above a path in a dataset, such as `OUT/shards/train-000000/NAME`.

    The folders as they are written come first, then those in full.
    """
    resolved = path.resolve() if isinstance(path, LocalPath) else path
    is_plain = ".." not in str(path).split("/")
    for one in (path, resolved) if is_plain else (resolved,):
        yield from (one.parent, one.parent.parent, one.parent.parent.parent)


def datasets_in(folder: StorePath) -> list[str]:
    """The names of the datasets in a folder, without what this user is not allowed to see."""
    try:
        paths = list(folder.iterdir())
    except OSError:
        return []
    return sorted(path.name for path in paths if _has_plan(path))


def _has_plan(folder: StorePath) -> bool:
    try:
        return (folder / "plan.json").is_file()
    except OSError:
        return False
