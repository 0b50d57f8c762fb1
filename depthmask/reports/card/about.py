"""What the cards tell of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from depthmask.codec.members import has_depth
from depthmask.data import Encoded, sample_key
from depthmask.stages.writer.base import ShardKind
from depthmask.storage.record import ShardFile

MOST_FILES = 1000
"""Named one by one with their hashes: 0.5 MB of Croissant."""


@dataclass(frozen=True, slots=True)
class About:
    """A dataset that is about to be complete.

    info: the content of `dataset.json`. plan: that of `plan.json`. sample: one of it, as read.
    suffix: of its shards' files, as `tar`. files: all files of its shards, None if there are more
    than `MOST_FILES`.
    """

    name: str
    info: dict[str, Any]
    plan: dict[str, Any]
    shard_kind: ShardKind
    sample: Encoded
    suffix: str
    files: tuple[ShardFile, ...] | None

    @property
    def has_depth(self) -> bool:
        """Whether samples have a map: a contract alone is no depth, with `encode.depth=none`."""
        return has_depth(self.sample)

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
