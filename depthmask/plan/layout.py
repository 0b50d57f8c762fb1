"""Shards: runs of consecutive samples of one split, the unit of work, resume and records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from depthmask.plan.numbering import Numbering


def shard_name(split: str, number: int) -> str:
    """The name of a shard, such as `train-000042`."""
    return f"{split}-{number:06d}"


@dataclass(frozen=True, slots=True)
class Shard:
    """The samples of one split with the ranks start..stop-1 in it."""

    number: int
    split: str
    start: int
    stop: int

    @property
    def name(self) -> str:
        """The stem of the names of its files and of its record."""
        return shard_name(self.split, self.number)

    def __len__(self) -> int:
        return self.stop - self.start


class Layout(ABC):
    """The number of samples, and their division into splits and shards."""

    samples: int
    shard_size: int

    @property
    @abstractmethod
    def numbering(self) -> Numbering:
        """The split of each sample."""

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of samples in each split."""
        names = self.numbering.names
        return {split: self.numbering.count(split, self.samples) for split in names}

    def in_shards_of(self, shard_size: int) -> Self:
        """The same samples in shards of another size."""
        return replace(self, shard_size=shard_size)  # type: ignore[type-var]

    def indices(self, shard: Shard) -> Sequence[int]:
        """The numbers of a shard's samples, in order."""
        return self.numbering.indices(shard.split, shard.start, shard.stop)

    def shard_counts(self) -> dict[str, int]:
        """The number of shards in each split."""
        return {split: -(-count // self.shard_size) for split, count in self.counts.items()}

    def shard_count(self) -> int:
        """The number of shards in all splits."""
        return sum(self.shard_counts().values())

    def shard(self, number: int, split: str = "train") -> Shard:
        """The shard with this number in its split."""
        start = number * self.shard_size
        return Shard(number, split, start, min(start + self.shard_size, self.counts[split]))

    def shards(self, done: Iterable[Shard] = ()) -> Shards:
        """All shards except those in `done`."""
        return Shards(self, frozenset(done))


@dataclass(frozen=True)
class Shards(Collection[Shard]):
    """The shards of a layout except those in `done`.

    Each is created when it is asked for, since there may be a million.
    """

    layout: Layout
    done: frozenset[Shard]

    def __len__(self) -> int:
        return self.layout.shard_count() - len(self.done)

    def __iter__(self) -> Iterator[Shard]:
        for split, count in self.layout.shard_counts().items():
            for number in range(count):
                shard = self.layout.shard(number, split)
                if shard not in self.done:
                    yield shard

    def __contains__(self, shard: object) -> bool:
        return (
            isinstance(shard, Shard)
            and 0 <= shard.number < self.layout.shard_counts().get(shard.split, 0)
            and shard not in self.done
            and shard == self.layout.shard(shard.number, shard.split)
        )

    @property
    def samples(self) -> int:
        """The number of samples in these shards."""
        return self.layout.samples - sum(map(len, self.done))
