"""A job: what is to be made, shard by shard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from depthmask.config.root import Root
from depthmask.data import DepthContract, Encoded
from depthmask.plan.layout import Layout, Shard
from depthmask.statistics import Statistics
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import Location
from depthmask.timing import Laps

if TYPE_CHECKING:
    from depthmask.cli.screen import Screen


class Progress:
    """Which sample a stage is at, to be named if it fails, and how many are made."""

    def __init__(self, made: Callable[[int], None] = lambda samples: None) -> None:
        self.begun = 0
        self.made = made
        """To be called with the number of samples made since the last call."""

    def at(self, index: int) -> None:
        """A stage begins to work at this sample."""
        self.begun = index


@dataclass(frozen=True)
class Job(ABC):
    """What runners, records and `dataset.json` know of a run: its shards, and the samples of each.

    root: settings and stages. plan: which sample is in which shard. contract: what depth values
    mean, None if there are none. lineage: what the records of its shards say that they were made
    for (see `DatasetIdentity`). Small when pickled: what a worker needs besides is made in the
    worker, at first use.
    """

    root: Root
    plan: Layout
    contract: DepthContract | None
    output: Location
    lineage: str

    @abstractmethod
    def encoded(
        self, shard: Shard, statistics: Statistics, laps: Laps, progress: Progress
    ) -> Iterator[Encoded]:
        """The samples of a shard, in order; `statistics` has all of them after the last."""

    @abstractmethod
    def named(self, index: int) -> str:
        """A sample and what it is made from: said when it, or its batch, could not be made."""

    @property
    @abstractmethod
    def sample_bytes(self) -> int:
        """Of an encoded sample, about."""

    @abstractmethod
    def described(self, claim: DatasetIdentity) -> dict[str, Any]:
        """What `dataset.json` says of where the samples come from.

        size, variants, splits (share, samples, backgrounds, foregrounds), leakage, and the numbers
        of backgrounds and foregrounds of all splits.
        """

    def before(self, screen: Screen) -> dict[str, float]:
        """Do what has to be done once, before workers start; returns the seconds by station."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}
