"""The base class of the jobs: generate, convert and annotate. A job makes samples by shard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, TypeVar

from depthmask.asset_store.folder import set_limit
from depthmask.config.plugins import registry
from depthmask.config.registry import RegisteredStatistic
from depthmask.config.root import Root
from depthmask.data import AssetCatalogue, DepthContract, Encoded, Sample
from depthmask.engine.display import Display
from depthmask.plan.layout import Layout, Shard
from depthmask.statistics.pixels import Statistics
from depthmask.statistics.redraws import Redraws
from depthmask.storage.dataset_info import DatasetFacts
from depthmask.storage.fence import adopt, fence_of
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.path import StorePath
from depthmask.timing import Laps

T = TypeVar("T")
Asset: TypeAlias = tuple[str, str]
"""(what of an asset to prepare, its key)."""


class Progress:
    """The progress within a shard: the sample in work, to be named in errors, and samples made."""

    def __init__(self, made: Callable[[int], None] = lambda samples: None) -> None:
        self.begun = 0
        self.made = made
        """A function to call with the number of samples made since the last call."""

    def at(self, index: int) -> None:
        """Record that a stage begins to work on this sample."""
        self.begun = index


class ShardLog:
    """Collects statistics, redraws, times and progress while the samples of a shard are made.

    added: the statistics of plugins to measure.
    """

    def __init__(
        self, progress: Progress | None = None, added: Sequence[RegisteredStatistic] = ()
    ) -> None:
        self.statistics = Statistics()
        self.redraws = Redraws()
        self.lap = Laps()
        self.progress = progress or Progress()
        self._added = added

    def add(self, sample: Sample) -> None:
        """Add a sample to the statistics of pixels, and to those of plugins."""
        self.statistics.add(sample)
        if self._added:
            self.measure(sample)

    def measure(self, sample: Sample) -> None:
        """Add a sample to the statistics of plugins."""
        distributions = self.statistics.added
        for one in self._added:
            if one.name not in distributions:
                distributions[one.name] = one.empty()
            one.add(sample, distributions[one.name])

    def each(self, items: Iterable[T], numbers: Iterable[int]) -> Iterator[T]:
        """Yield one item for each sample, and record that work on the sample begins."""
        at = self.progress.at
        for number, item in zip(numbers, items, strict=True):
            at(number)
            yield item


@dataclass(frozen=True)
class Job(ABC):
    """A dataset to make: its content, its folder, and the samples of each shard.

    root: settings and stages. plan: which sample is in which shard. contract: the meaning of depth
    values, None without depth. output: the folder of the dataset. identity: everything that
    determines its bytes. catalogue: the assets in use. added_statistics: the names of the
    statistics of plugins, which workers load by their names. Only these fields are pickled;
    everything else is made at first use.
    """

    root: Root
    plan: Layout
    contract: DepthContract | None
    output: StorePath
    identity: DatasetIdentity
    catalogue: AssetCatalogue
    added_statistics: tuple[str, ...] = field(
        init=False, default_factory=lambda: tuple(registry().statistics)
    )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.output)!r}, {self.plan.samples:,} samples)"

    @abstractmethod
    def encoded(self, shard: Shard, log: ShardLog) -> Iterator[Encoded]:
        """Yield the samples of a shard in order; at the end, `log` has the statistics of all."""

    @abstractmethod
    def named(self, index: int) -> str:
        """The sample with its assets or its input as text, for an error message."""

    @property
    @abstractmethod
    def sample_bytes(self) -> int:
        """The estimated bytes of an encoded sample."""

    @abstractmethod
    def dataset_facts(self) -> DatasetFacts:
        """The fields of `dataset.json` that do not follow from the records, such as splits."""

    @property
    def source_plan(self) -> Mapping[str, Any]:
        """The plan of the run that generated the samples; empty if it is unknown."""
        return self.identity.description

    def before_shards(self, display: Display, missing: Collection[Shard]) -> dict[str, float]:
        """Do work that is needed once, before workers start; returns its seconds by station.

        missing: the shards to make.
        """
        return {}

    def prepare(self, asset: Asset) -> None:
        """Put an asset into the asset store; see `Runner.prepare`."""
        raise AssertionError(f"{self} has no assets, and there is {asset}")

    def shard_log(self, progress: Progress) -> ShardLog:
        """A log for one shard; raises `UsageError` if a plugin with statistics is missing here."""
        return ShardLog(progress, [registry().statistic(name) for name in self.added_statistics])

    def __getstate__(self) -> dict[str, Any]:
        state = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**state, "fence": fence_of(self.output)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The process that unpickles it writes under the lock of the run, and keeps the limit of
        # the asset store.
        adopt(state.pop("fence"))
        vars(self).update(state)
        set_limit(self.root.runner.store_bytes)
