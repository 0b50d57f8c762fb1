"""Depth stages: the depth maps of composites."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from depthmask.data import Composite, DepthContract, Float32, Size, UInt8
from depthmask.stage import Stage


class Depth(Stage):
    """Gives each composite a depth map, or none."""

    kind: ClassVar[str] = "depth"
    reads_geometry: ClassVar[bool] = False
    """Whether `annotate` needs `composite.background.depth_m`."""

    @property
    def batch_size(self) -> int:
        """The number of composites to pass to `annotate` at a time."""
        return 1

    @abstractmethod
    def contract(self, size: Size, geometry: DepthContract | None) -> DepthContract | None:
        """The meaning of the depth values for a canvas of `size`; None if the stage makes none.

        geometry: the contract of the backgrounds' depth, None if they have none.
        """

    @abstractmethod
    def annotate(self, composites: Sequence[Composite]) -> Sequence[Float32 | None]:
        """A depth map float32 [dh, dw] by the contract for each composite, or None without one."""


class Estimator(Depth):
    """A depth stage that uses pixels alone, so that it serves as `geometry` as well."""

    serves_as_geometry: ClassVar[bool] = True
    """Whether `geometry=NAME` can choose it, for which it has to give metres; False if no setting
    makes it do so."""

    @property
    @abstractmethod
    def cache_key(self) -> str:
        """A text of all weights and settings that depth depends on: equal keys, equal depth."""

    def annotate(self, composites: Sequence[Composite]) -> Sequence[Float32]:
        """The depth of each composite's image; all images have one size."""
        return list(self.estimate(np.stack([composite.image for composite in composites])))

    @abstractmethod
    def estimate(self, images: UInt8) -> Float32:
        """Images uint8 [n, h, w, 3] RGB -> depth float32 [n, dh, dw] by the contract."""
