"""The abstract input of a job: existing samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from depthmask.codec.sample import Encode
from depthmask.data import AssetCatalogue, AssetFiles, DepthContract, Encoded, Size
from depthmask.plan.layout import Layout, Shard
from depthmask.plan.numbering import Numbering
from depthmask.statistics.pixels import Statistics
from depthmask.storage.dataset_info import DatasetFacts


@dataclass(frozen=True)
class FixedLayout(Layout):
    """The layout of existing samples, which keep their splits and numbers."""

    samples: int
    shard_size: int
    existing: Numbering

    @property
    def numbering(self) -> Numbering:
        """The numbering of the existing samples."""
        return self.existing


class JobInput(ABC):
    """Existing samples, read by their index.

    paths: the paths that the user gave. sha256: a hash over all files. shard_size: the samples in a
    shard of the input, None if it has no shards. encode: the settings with which its members were
    encoded. An input can be pickled; it opens its files at first use.
    """

    paths: tuple[str, ...]
    sha256: str
    samples: int
    shard_size: int | None
    size: Size
    contract: DepthContract | None
    encode: Encode
    numbering: Numbering
    sample_bytes: int

    @abstractmethod
    def read(self, index: int) -> Encoded:
        """The members of a sample, unchanged."""

    @abstractmethod
    def dataset_facts(self) -> DatasetFacts:
        """The facts about the samples for `dataset.json`."""

    def check_shard(self, layout: Layout, shard: Shard) -> Statistics | None:
        """Check the files of a shard before its samples are read; raises `DepthmaskError`.

        Returns the statistics of the shard, or None if they have to be computed from its samples.
        """
        return None

    @property
    def assets(self) -> Mapping[str, AssetFiles]:
        """The number and bytes of asset files of each kind; empty if unknown."""
        return {}

    @property
    def licences(self) -> Mapping[str, Mapping[str, int]]:
        """The licences of the assets, as in `AssetCatalogue`; empty if unknown."""
        return {}

    @property
    def catalogue(self) -> AssetCatalogue:
        """The catalogue of the assets that the samples were made from, as far as it is known."""
        return AssetCatalogue(self.sha256, files=self.assets, licences=self.licences)

    @property
    def most_pixels(self) -> int:
        """The number of pixels of its largest image or depth map."""
        sizes = [self.size, *([self.contract.resolution] if self.contract else [])]
        return max(height * width for height, width in sizes)

    def layout(self, shard_size: int) -> FixedLayout:
        """The layout of its samples in shards of this size."""
        return FixedLayout(self.samples, shard_size, self.numbering)
