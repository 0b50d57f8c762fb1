"""The record of a published shard: what is in it, where, and how it came about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

Members: TypeAlias = dict[str, list[tuple[int, int, int]]]
"""Member name -> for each sample of the shard (number of the file, offset, bytes)."""


def record_path(output: Path, shard: str) -> Path:
    """Where the record of a shard lies."""
    return output / "records" / f"{shard}.json"


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One published file; name: relative to the folder of the shards, with forward slashes."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """A shard that is complete and on disk.

    start, stop: its sample numbers, stop exclusive. members: where to find each member, empty if
    the writer's files have an index of their own. statistics: integer sums (see `Statistics`).
    seconds: time by station.
    """

    shard: str
    split: str
    start: int
    stop: int
    files: tuple[ShardFile, ...]
    members: Members
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
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """What `as_json` gave; KeyError or TypeError if it is something else."""
        return cls(
            shard=data["shard"],
            split=data["split"],
            start=data["start"],
            stop=data["stop"],
            files=tuple(ShardFile(**file) for file in data["files"]),
            members={
                name: [(file, offset, size) for file, offset, size in places]
                for name, places in data["members"].items()
            },
            statistics=data["statistics"],
            seconds=data["seconds"],
        )
