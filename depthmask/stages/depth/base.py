"""Depth stages: what annotates a composite with a depth map."""

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
        """How many composites `annotate` likes to get at a time."""
        return 1

    @abstractmethod
    def contract(self, size: Size, geometry: DepthContract | None) -> DepthContract | None:
        """What the numbers mean, for a canvas of `size`; None if there are none.

        geometry: what the depth of the backgrounds means, None if they have none.
        """

    @abstractmethod
    def annotate(self, composites: Sequence[Composite]) -> Sequence[Float32 | None]:
        """float32 [dh, dw] for each composite, by the contract; None where there is none."""


class Estimator(Depth):
    """A depth stage that looks at pixels alone, so it can serve `geometry` as well."""

    @property
    @abstractmethod
    def cache_key(self) -> str:
        """Weights and settings that the numbers depend on: equal keys, equal depth."""

    def annotate(self, composites: Sequence[Composite]) -> Sequence[Float32]:
        """The depth of each composite's picture."""
        return list(self.estimate(np.stack([composite.image for composite in composites])))

    @abstractmethod
    def estimate(self, images: UInt8) -> Float32:
        """uint8 [n, h, w, 3] RGB -> float32 [n, dh, dw] by the contract."""
