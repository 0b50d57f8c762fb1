"""A job: which samples a run makes, shard by shard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeVar

from depthmask.config.root import Root
from depthmask.data import AssetCatalogue, DepthContract, Encoded
from depthmask.engine.display import Display
from depthmask.plan.layout import Layout, Shard
from depthmask.statistics import Statistics
from depthmask.storage.dataset_info import DatasetFacts
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.path import StorePath
from depthmask.timing import Laps

T = TypeVar("T")
_index = attrgetter("index")


class Progress:
    """Which sample a stage works at, to name it in an error, and how many samples are made."""

    def __init__(self, made: Callable[[int], None] = lambda samples: None) -> None:
        self.begun = 0
        self.made = made
        """Called with the number of samples made since the last call."""

    def at(self, index: int) -> None:
        """A stage begins to work at this sample."""
        self.begun = index


class ShardLog:
    """What a job notes while it makes the samples of a shard: statistics, time, progress."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.statistics = Statistics()
        self.lap = Laps()
        self.progress = progress or Progress()

    def each(self, items: Iterable[T], sample_number: Callable[[T], int] = _index) -> Iterator[T]:
        """The items of some samples; a sample counts as begun when its item is taken."""
        for item in items:
            self.progress.at(sample_number(item))
            yield item


@dataclass(frozen=True)
class Job(ABC):
    """A dataset to make: what it is, where it goes, and the samples of each of its shards.

    root: settings and stages. plan: which sample is in which shard. contract: what depth values
    mean, None if there are none. output: the folder of the dataset. identity: all that decides its
    bytes. catalogue: the assets that it is made from. A job pickles small: what a worker needs
    besides, it makes at first use.
    """

    root: Root
    plan: Layout
    contract: DepthContract | None
    output: StorePath
    identity: DatasetIdentity
    catalogue: AssetCatalogue

    @abstractmethod
    def encoded(self, shard: Shard, log: ShardLog) -> Iterator[Encoded]:
        """The samples of a shard, in order; `log` has the statistics of all after the last."""

    @abstractmethod
    def named(self, index: int) -> str:
        """The name of a sample and of what it is made from, for an error at this sample."""

    @property
    @abstractmethod
    def sample_bytes(self) -> int:
        """Bytes of an encoded sample, estimated."""

    @abstractmethod
    def dataset_facts(self) -> DatasetFacts:
        """What `dataset.json` says about where the samples come from."""

    def before_shards(self, display: Display) -> dict[str, float]:
        """Do once what has to be done before workers start; returns the seconds by station."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}
