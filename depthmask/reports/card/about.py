"""What the cards tell of, gathered in one pass over the records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from depthmask.data import Encoded, sample_key
from depthmask.stages.writer.base import ShardKind
from depthmask.storage.record import Record, ShardFile

MOST_FILES = 1000
"""Named one by one with their hashes: 0.5 MB of Croissant."""


class FileList:
    """The files of the records that went through it, as long as they are few."""

    def __init__(self) -> None:
        self.suffix = ""
        """Of the files of the first record: `tar`."""
        self._files: list[ShardFile] = []
        self._count = 0

    def through(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records; their files are noted."""
        for record in records:
            self._count += len(record.files)
            self.suffix = self.suffix or record.files[0].name.rpartition(".")[2]
            if self._count <= MOST_FILES:
                self._files += record.files
            yield record

    @property
    def files(self) -> tuple[ShardFile, ...] | None:
        """All of them; None if there are more than `MOST_FILES`."""
        return tuple(self._files) if self._count <= MOST_FILES else None


@dataclass(frozen=True, slots=True)
class About:
    """A dataset that is about to be complete.

    info: the content of `dataset.json`. plan: that of `plan.json`. sample: one of it, as read.
    """

    name: str
    info: dict[str, Any]
    plan: dict[str, Any]
    shard_kind: ShardKind
    sample: Encoded
    listed: FileList

    @property
    def has_depth(self) -> bool:
        """Whether samples have a map: a contract alone is no depth, with `encode.depth=none`."""
        return any(name.startswith("depth") for name in (*self.sample.members, *self.sample.arrays))

    @property
    def has_foregrounds(self) -> bool:
        """Whether there are masks of anything: plain photographs can be given depth, too."""
        return bool(self.info["foregrounds"])

    @property
    def summary(self) -> str:
        """In one sentence."""
        height, width = self.info["size"]
        what = "composites" if self.has_foregrounds else "pictures"
        parts = ["a foreground mask"] * self.has_foregrounds + ["a depth map"] * self.has_depth
        each = f", each with {' and '.join(parts)}" if parts else ""
        version = self.info["versions"]["depthmask"]
        return (
            f"{self.info['samples']:,} {what} of {height}x{width} pixels{each}; "
            f"written by depthmask {version}."
        )

    @property
    def tags(self) -> list[str]:
        """Key words."""
        depth = ["depth estimation"] * self.has_depth
        mask = ["image segmentation", "synthetic data"] * self.has_foregrounds
        return [*depth, *mask, "depthmask"]

    @property
    def splits(self) -> list[str]:
        """Those that have samples."""
        return [name for name, split in self.info["splits"].items() if split["samples"]]

    def names(self, member: str) -> list[str]:
        """Globs of a member's files, and of no other: `*.png` would be those of masks, too."""
        longest = len(sample_key(self.info["samples"] - 1))
        return [f"{'?' * digits}.{member}" for digits in range(len(sample_key(0)), longest + 1)]
