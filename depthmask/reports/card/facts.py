"""The facts about a dataset that its cards state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from depthmask.codec.members import has_depth
from depthmask.data import Encoded, sample_key
from depthmask.stages.writer.base import ShardKind
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.packages import package_of
from depthmask.storage.record import ShardFile

MOST_LISTED_FILES = 1000
"""The most shard files that Croissant lists with their hashes, which takes 0.5 MB."""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What the cards state about a dataset.

    info, plan: the content of `dataset.json` and `plan.json`. sample: one of its samples, as the
    writer reads it. suffix: that of the shard files, such as `tar`. files: all shard files, None if
    there are more than `MOST_LISTED_FILES`.
    """

    name: str
    info: DatasetInfo
    plan: dict[str, Any]
    shard_kind: ShardKind
    sample: Encoded
    suffix: str
    files: tuple[ShardFile, ...] | None

    @property
    def is_parquet(self) -> bool:
        """Whether each shard is a Parquet file with a column for each member."""
        # `table` meant Parquet before it had a kind of its own.
        is_old = self.shard_kind is ShardKind.table and self.suffix == "parquet"
        return self.shard_kind is ShardKind.parquet or is_old

    @property
    def has_depth(self) -> bool:
        """Whether samples have a depth map; with `encode.depth=none` there is only a contract."""
        return has_depth(self.sample)

    @property
    def has_foregrounds(self) -> bool:
        """Whether samples have foregrounds; annotated photographs have none."""
        return bool(self.info.foregrounds)

    @property
    def reader(self) -> tuple[str, str] | None:
        """The (package, version) that reads the shards; None if depthmask does without another."""
        return package_of(self.plan, f"writer={self.plan['config']['writer']['stage']}")

    @property
    def summary(self) -> str:
        """The dataset in one sentence."""
        noun = "composites" if self.has_foregrounds else "pictures"
        labels = ["a foreground mask"] * self.has_foregrounds + ["a depth map"] * self.has_depth
        each = f", each with {' and '.join(labels)}" if labels else ""
        packages = [("depthmask", self.info.versions["depthmask"])]
        packages += [self.reader] if self.reader else []
        return (
            f"{self.info.samples:,} {noun} of {self.info.size_text} pixels{each}; "
            f"written by {' and '.join(map(' '.join, packages))}."
        )

    @property
    def tags(self) -> list[str]:
        """Keywords by which users can find the dataset."""
        depth = ["depth estimation"] * self.has_depth
        mask = ["image segmentation", "synthetic data"] * self.has_foregrounds
        return [*depth, *mask, "depthmask"]

    @property
    def splits(self) -> list[str]:
        """The splits that have samples."""
        return [name for name, split in self.info.splits.items() if split.samples]

    def names(self, member: str) -> list[str]:
        """Glob patterns for the files of one member; `*.png` would also match masks."""
        longest = len(sample_key(self.info.samples - 1))
        return [f"{'?' * digits}.{member}" for digits in range(len(sample_key(0)), longest + 1)]
