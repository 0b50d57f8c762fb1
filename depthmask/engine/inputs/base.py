"""Where the samples of a job come from that makes none of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from depthmask.codec.sample import Encode
from depthmask.data import AssetCatalogue, AssetFiles, DepthContract, Encoded, Size
from depthmask.plan.layout import Layout, Shard
from depthmask.plan.numbering import Numbering
from depthmask.statistics import Statistics


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
    """Samples by number. Pickles small, opens its files at first use.

    paths: as the user names them. sha256: over all its files, so that another content is another
    origin. shard_size: in which its samples come. encode: how its members were made.
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
        """Sample `index` as its bytes."""

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """What `dataset.json` is to say of where the samples come from (see `Job.described`)."""

    def begin(self, layout: Layout, shard: Shard) -> Statistics | None:
        """Called before the samples of a shard are read; raises if they are not as published.

        Returns what is known of their statistics, None if they have to be measured.
        """
        return None

    @property
    def assets(self) -> Mapping[str, AssetFiles]:
        """What is known of the files that the samples were made from."""
        return {}

    @property
    def licences(self) -> Mapping[str, Mapping[str, int]]:
        """What is known of the licences of those (see `AssetCatalogue`)."""
        return {}

    @property
    def catalogue(self) -> AssetCatalogue:
        """What is known of the assets that the samples were made from."""
        return AssetCatalogue(self.sha256, files=self.assets, licences=self.licences)

    @property
    def most_pixels(self) -> int:
        """Of its largest picture or map."""
        sizes = [self.size, *([self.contract.resolution] if self.contract else [])]
        return max(height * width for height, width in sizes)

    def layout(self, shard_size: int) -> FixedLayout:
        """Its samples in shards of this size."""
        return FixedLayout(self.samples, shard_size, self.numbering)
