"""The record of a published shard: what is in it, where, and how it came about."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Layout, Shard
from depthmask.storage.location import Location

Members: TypeAlias = Mapping[str, Sequence[tuple[int, int, int]]]
"""Member name -> for each sample of the shard (number of the file, offset, bytes)."""
ByteRanges: TypeAlias = NDArray[np.uint32] | NDArray[np.int64]
"""The same for one member: [samples, 3], uint32 where that is enough."""
MOST_SAMPLES = 10**12
"""Of a dataset: the root setting's limit, and more than anybody has disks for."""
_LONGEST_NAME = 200
"""In bytes: file systems take 255, and ours get a suffix."""
_SHA256 = re.compile("[0-9a-f]{64}")
MOST_BYTES = 1 << 29
"""Of one member: a canvas of 8192x8192 takes 201 MB in RGB, and 268 MB as float32 depth."""


def record_path(output: Location, shard: str) -> Location:
    """Where the record of a shard lies."""
    if not is_inside(shard) or "/" in shard:
        raise DepthmaskError(f"{output}: {shard[:80]!r} is no name of a shard")
    return output / "records" / f"{shard}.json"


def recorded(output: Location, layout: Layout) -> Iterator[Shard]:
    """The shards of the layout that have a record, whether it is right or not."""
    counts = layout.shard_counts()
    for path in (output / "records").glob("*.json"):
        split, _, digits = path.stem.rpartition("-")
        if digits.isdecimal() and int(digits) < counts.get(split, 0):
            shard = layout.shard(int(digits), split)
            if shard.name == path.stem:
                yield shard


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One published file; name: relative to the folder of the shards, with forward slashes.

    etag: what an object store calls this content, None where it lies in a folder.
    """

    name: str
    bytes: int
    sha256: str
    etag: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        data: dict[str, Any] = {"name": self.name, "bytes": self.bytes, "sha256": self.sha256}
        return data if self.etag is None else {**data, "etag": self.etag}

    def not_as_published(self, path: Location) -> DepthmaskError:
        """What to raise where a file of another size is at `path`."""
        return DepthmaskError(
            f"{path}: not the file of {self.bytes:,} bytes that was published; "
            "`python -m depthmask verify OUT --repair` makes the shard again"
        )


@dataclass(frozen=True, eq=False, slots=True)
class Record:
    """A shard that is complete and on disk.

    lineage: of the dataset that it was made for (see `DatasetIdentity`). start, stop: its samples
    by their rank in the split, stop exclusive. members: where to find each member, empty if the
    writer's files have an index of their own. statistics: integer sums (see `Statistics`).
    seconds: time by station.
    """

    shard: str
    split: str
    lineage: str
    start: int
    stop: int
    files: tuple[ShardFile, ...]
    members: dict[str, ByteRanges]
    statistics: dict[str, Any]
    seconds: dict[str, float]

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def bytes(self) -> int:
        """Of all its files."""
        return sum(file.bytes for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        data["files"] = [file.as_json() for file in self.files]
        data["members"] = {name: places.tolist() for name, places in self.members.items()}
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """What `as_json` gave; KeyError, TypeError, ValueError or OverflowError if it is not that.

        Its checksum says that a record is whole, not that we wrote it: whoever made a dataset may
        have put in what they like, so nothing in it is believed before it has been looked at.
        """
        record = cls(
            shard=_of_type(str, data["shard"]),
            split=_of_type(str, data["split"]),
            lineage=_of_type(str, data["lineage"]),
            start=_count(data["start"]),
            stop=_count(data["stop"]),
            files=tuple(_shard_file(file) for file in data["files"]),
            members={
                name: as_byte_ranges(places)
                for name, places in _of_type(dict, data["members"]).items()
            },
            statistics=_of_type(dict, data["statistics"]),
            seconds=_of_type(dict, data["seconds"]),
        )
        _check_names(record)
        _check_members(record)
        return record


def is_inside(name: str) -> bool:
    """Whether a name with forward slashes leads to nowhere but below its folder."""
    parts = name.split("/")
    plain = name.isprintable() and "\\" not in name and len(name.encode()) <= _LONGEST_NAME
    return plain and not {"", ".", ".."} & set(parts)


def _shard_file(data: Any) -> ShardFile:
    file = ShardFile(**_of_type(dict, data))
    _count(file.bytes)
    if not is_inside(_of_type(str, file.name)):
        raise ValueError(f"{file.name!r} leads out of the shards")
    if not _SHA256.fullmatch(_of_type(str, file.sha256)):
        raise ValueError(f"{file.sha256[:80]!r} is no sha256")
    if file.etag is not None:
        _of_type(str, file.etag)
    return file


def _check_names(record: Record) -> None:
    names = [file.name for file in record.files]
    if len(set(names)) < len(names) or not names:
        raise ValueError("a file is there twice, or none at all")
    if not record.start < record.stop <= MOST_SAMPLES:
        raise ValueError(f"samples {record.start}..{record.stop - 1}")


def as_byte_ranges(places: Any) -> ByteRanges:
    """What a writer, or a record, tells; ValueError if it is not that."""
    # Looked at one by one: NumPy would make anything into an array, a long text a huge one.
    numbers = list(itertools.chain.from_iterable(places))
    if set(map(len, places)) != {3} or set(map(type, numbers)) != {int} or min(numbers) < 0:
        raise ValueError("a member's places are not (file, offset, bytes)")
    array = np.array(numbers, np.int64).reshape(-1, 3)
    return array.astype(np.uint32) if max(numbers) < 1 << 32 else array


def _check_members(record: Record) -> None:
    """Every member lies within its file, beside the others, and there is one for each sample."""
    for name, places in record.members.items():
        if len(places) != len(record) or not is_inside(name):
            raise ValueError(f"{len(places)} places of {name!r} for {len(record)} samples")
    if not record.members:
        return
    file, offset, size = np.concatenate(list(record.members.values()), dtype=np.int64).T
    if size.max() > MOST_BYTES:
        raise ValueError(f"a member of {size.max()} bytes")
    ends = np.array([one.bytes for one in record.files])
    # Subtracted, as the sum of two large numbers may be beyond int64.
    if file.max() >= len(ends) or (offset > ends[file] - size).any():
        raise ValueError("a member beyond the end of its file")
    order = np.lexsort((size, offset, file))
    file, start, stop = file[order], offset[order], (offset + size)[order]
    if ((file[1:] == file[:-1]) & (start[1:] < stop[:-1])).any():
        raise ValueError("members that overlap")


def _of_type(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{kind.__name__} expected")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
