"""The abstract input of a job: existing samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from depthmask.codec.sample import Encode
from depthmask.data import AssetCatalogue, AssetFiles, DepthContract, Encoded, Size
from depthmask.errors import SettingError
from depthmask.plan.layout import Layout, Shard
from depthmask.plan.numbering import Numbering
from depthmask.statistics.pixels import Statistics
from depthmask.storage.dataset_info import DatasetFacts
from depthmask.storage.location import location

_MOST_PATHS = 3
"""The most paths that a message names."""


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


def place_of(paths: Sequence[str]) -> str:
    """Paths as text, the first ones of many."""
    shown = ", ".join(paths[:_MOST_PATHS])
    more = len(paths) - _MOST_PATHS
    return f"{shown} and {more:,} more" if more > 0 else shown


class JobInput(ABC):
    """Existing samples, read by their index.

    paths: the paths that the user gave. sha256: a hash over all files. shard_size: the samples in a
    shard of the input, None if it has no shards. size: that of its images, the largest where they
    differ. smallest: the size of the smallest image; None if all have one size. named: whether keys
    are names of pictures instead of numbers. reads_all_files: whether any file that is added to its
    folders makes it another input. encode: the settings with which its members were
    encoded. lines: what the user should know about it before the run. An input can be pickled; it
    opens its files at first use. plan: the content of `plan.json`, empty if the samples are not
    those of a dataset.
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
    plan: Mapping[str, Any] = MappingProxyType({})
    smallest: Size | None = None
    named: bool = False
    reads_all_files: bool = False
    lines: Sequence[str] = ()

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

    def adapted(self, size: Size | None, encode: Encode | None) -> JobInput:
        """The input with all images resized to `size`, and encoded again by `encode` if given.

        Raises `SettingError` for a size, which only photographs can get.
        """
        if size is not None:
            raise SettingError(
                "size",
                list(size),
                f"the samples of {self.place} keep their size, {self.size[0]}x{self.size[1]}; "
                "size=[H,W] is for photographs",
            )
        return self

    @property
    def description(self) -> dict[str, Any]:
        """The input as `plan.json` describes it, wherever it is."""
        return {"sha256": self.sha256}

    @property
    def place(self) -> str:
        """Its paths as text, the first ones of many."""
        return place_of(self.paths)

    @property
    def stem(self) -> str:
        """The name of the first path without a suffix, after which a dataset is named."""
        return location(self.paths[0]).stem

    def name_of(self, index: int) -> str:
        """A sample as text, for an error message."""
        return f"sample {index} of {self.place}"

    def size_of(self, index: int) -> Size:
        """A size that the image of a sample does not exceed."""
        return self.size

    @property
    def typical_size(self) -> Size:
        """A size with the mean number of pixels."""
        return self.size

    @property
    def stored(self) -> Encode:
        """The encode settings whose members take as many bytes as its files, for estimates."""
        return self.encode

    @property
    def assets(self) -> Mapping[str, AssetFiles]:
        """The number and bytes of asset files of each kind; empty if unknown."""
        return {}

    @property
    def licences(self) -> Mapping[str, Mapping[str, int]]:
        """The licences of the assets, as in `AssetCatalogue`; empty if unknown."""
        return {}

    @property
    def foreground_labels(self) -> tuple[str, ...]:
        """The labels of all foregrounds of the source, sorted; empty if unknown."""
        return ()

    @property
    def catalogue(self) -> AssetCatalogue:
        """The catalogue of the assets that the samples were made from, as far as it is known."""
        return AssetCatalogue(
            self.sha256,
            files=self.assets,
            licences=self.licences,
            foreground_labels=self.foreground_labels,
        )

    @property
    def most_pixels(self) -> int:
        """The number of pixels of its largest image or depth map."""
        sizes = [self.size, *([self.contract.resolution] if self.contract else [])]
        return max(height * width for height, width in sizes)

    def layout(self, shard_size: int) -> FixedLayout:
        """The layout of its samples in shards of this size."""
        return FixedLayout(self.samples, shard_size, self.numbering)
