"""The samples that a job reads instead of making its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from depthmask.codec.sample import Encode
from depthmask.data import AssetCatalogue, AssetFiles, DepthContract, Encoded, Size
from depthmask.plan.layout import Layout, Shard
from depthmask.plan.numbering import Numbering
from depthmask.statistics import Statistics
from depthmask.storage.dataset_info import DatasetFacts


@dataclass(frozen=True)
class FixedLayout(Layout):
    """A layout with the numbering of existing samples, which keep their splits."""

    samples: int
    shard_size: int
    existing: Numbering

    @property
    def numbering(self) -> Numbering:
        """The numbering of the existing samples."""
        return self.existing


class JobInput(ABC):
    """Existing samples, by number. Pickles small, opens its files at first use.

    paths: as the user names them. sha256: the hash of all its files. shard_size: of its own shards.
    encode: the settings that its members were encoded with.
    """

    paths: tuple[str, ...]
    sha256: str
    samples: int
    shard_size: int
    size: Size
    contract: DepthContract | None
    encode: Encode
    numbering: Numbering
    sample_bytes: int

    @abstractmethod
    def read(self, index: int) -> Encoded:
        """The members of sample `index`, as they are on disk."""

    @abstractmethod
    def dataset_facts(self) -> DatasetFacts:
        """What `dataset.json` says about where the samples come from."""

    def check_shard(self, layout: Layout, shard: Shard) -> Statistics | None:
        """Called before the samples of a shard are read; raises if they are not as published.

        Returns what is known of their statistics, None if they have to be measured.
        """
        return None

    @property
    def assets(self) -> Mapping[str, AssetFiles]:
        """How many files of each kind the samples were made from, as far as it is known."""
        return {}

    @property
    def licences(self) -> Mapping[str, Mapping[str, int]]:
        """The licences of those files (see `AssetCatalogue`), as far as they are known."""
        return {}

    @property
    def catalogue(self) -> AssetCatalogue:
        """What is known of the assets that the samples were made from."""
        return AssetCatalogue(self.sha256, files=self.assets, licences=self.licences)

    @property
    def most_pixels(self) -> int:
        """The pixels of its largest image or depth map."""
        sizes = [self.size, *([self.contract.resolution] if self.contract else [])]
        return max(height * width for height, width in sizes)

    def layout(self, shard_size: int) -> FixedLayout:
        """Its samples in shards of this size."""
        return FixedLayout(self.samples, shard_size, self.numbering)
