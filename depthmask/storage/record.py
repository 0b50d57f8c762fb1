"""The record of a published shard: its samples, its files, and where each member lies."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.data import brief
from depthmask.untrusted import is_one_line

Members: TypeAlias = Mapping[str, Sequence[tuple[int, int, int]]]
"""Member name -> for each sample of the shard (number of the file, offset, bytes)."""
ByteRanges: TypeAlias = NDArray[np.uint32] | NDArray[np.int64]
"""[samples, 3]: (number of the file, offset, bytes) of one member; uint32 if that is enough."""
MOST_SAMPLES = 10**12
"""The most samples of a dataset, and of the setting `samples`; no disk can hold so many."""
_LONGEST_NAME = 200
"""The most bytes of a file name: file systems allow 255, and temporary names have a suffix."""
_SHA256 = re.compile("[0-9a-f]{64}")
MOST_BYTES = 1 << 29
"""The most bytes of a member: a canvas of 8192x8192 has 201 MB in RGB, 268 MB as float32 depth."""


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One published file.

    name: relative to the folder of the shards, or that of the dataset for derived files, with
    forward slashes. etag: the object store's
    identifier of the content, None in a local folder.
    """

    name: str
    bytes: int
    sha256: str
    etag: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        data: dict[str, Any] = {"name": self.name, "bytes": self.bytes, "sha256": self.sha256}
        return data if self.etag is None else {**data, "etag": self.etag}


@dataclass(frozen=True, eq=False, slots=True)
class Record:
    """A published shard.

    lineage: that of its dataset (see `DatasetIdentity`). start, stop: its samples, by
    rank in the split, stop exclusive. members: byte ranges by member, empty if the writer's files
    have an index of their own. statistics: integer sums (see `Statistics`). seconds: time by
    station. redraws: why samples drew other assets (see `Redraws`).
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
    redraws: list[Any] = field(default_factory=list)

    __repr__ = brief

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def bytes(self) -> int:
        """Size of all its files together."""
        return sum(file.bytes for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        data["files"] = [file.as_json() for file in self.files]
        data["members"] = {name: ranges.tolist() for name, ranges in self.members.items()}
        if not self.redraws:
            del data["redraws"]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """Read what `as_json` gave; KeyError, TypeError, ValueError or OverflowError otherwise.

        The checksum of a record shows that it is whole, not that depthmask wrote it: a downloaded
        dataset may hold anything, so every field is checked.
        """
        record = cls(
            shard=_of_type(str, data["shard"]),
            split=_of_type(str, data["split"]),
            lineage=_of_type(str, data["lineage"]),
            start=_count(data["start"]),
            stop=_count(data["stop"]),
            files=tuple(shard_file(file) for file in data["files"]),
            members={
                name: as_byte_ranges(ranges)
                for name, ranges in _of_type(dict, data["members"]).items()
            },
            statistics=_of_type(dict, data["statistics"]),
            seconds=_of_type(dict, data["seconds"]),
            redraws=_of_type(list, data.get("redraws", [])),
        )
        require_consistent(record)
        return record


def require_consistent(record: Record) -> None:
    """Raise `ValueError` unless files, samples and byte ranges of a record fit together."""
    _check_names(record)
    _check_members(record)


def is_inside(name: str) -> bool:
    """Return whether a name with forward slashes stays below its folder."""
    components = name.split("/")
    plain = is_one_line(name) and "\\" not in name and len(name.encode()) <= _LONGEST_NAME
    return plain and not {"", ".", ".."} & set(components)


def shard_file(data: Any) -> ShardFile:
    """Read what `ShardFile.as_json` gave; raises as `Record.from_json`."""
    file = ShardFile(**_of_type(dict, data))
    _count(file.bytes)
    if not is_inside(_of_type(str, file.name)):
        raise ValueError(f"{file.name!r} is not below its folder")
    if not _SHA256.fullmatch(_of_type(str, file.sha256)):
        raise ValueError(f"{file.sha256[:80]!r} is not a sha256")
    if file.etag is not None:
        _of_type(str, file.etag)
    return file


def _check_names(record: Record) -> None:
    names = [file.name for file in record.files]
    if len(set(names)) < len(names) or not names:
        raise ValueError("no files, or a file twice")
    if not record.start < record.stop <= MOST_SAMPLES:
        raise ValueError(f"samples {record.start}..{record.stop - 1}")


def as_byte_ranges(ranges: Any) -> ByteRanges:
    """Return the byte ranges of a writer or a record as an array; ValueError if they are none."""
    # Each number is checked, since NumPy converts anything, and a long text to a huge array.
    numbers = list(itertools.chain.from_iterable(ranges))
    if set(map(len, ranges)) != {3} or set(map(type, numbers)) != {int} or min(numbers) < 0:
        raise ValueError("a member's byte ranges are not (file, offset, bytes)")
    array = np.array(numbers, np.int64).reshape(-1, 3)
    return array.astype(np.uint32) if max(numbers) < 1 << 32 else array


def _check_members(record: Record) -> None:
    """Check that each sample has its members, within their files and without overlap."""
    for name, ranges in record.members.items():
        if len(ranges) != len(record) or not is_inside(name):
            raise ValueError(f"{len(ranges)} byte ranges of {name!r} for {len(record)} samples")
    if not record.members:
        return
    file, offset, size = np.concatenate(list(record.members.values()), dtype=np.int64).T
    if size.max() > MOST_BYTES:
        raise ValueError(f"a member of {size.max()} bytes")
    ends = np.array([one.bytes for one in record.files])
    # A difference, since the sum of two large numbers may overflow int64.
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
        raise ValueError(f"{value!r} is not a count")
    return value
