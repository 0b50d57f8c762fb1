"""Geometry: the depth of a background, found once for each and kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from depthmask.data import Background, DepthContract, Size
from depthmask.stage import Stage


class Geometry(Stage):
    """Completes backgrounds with `depth_m`; only what a model was asked for goes to the cache."""

    kind: ClassVar[str] = "geometry"

    @property
    def batch_size(self) -> int:
        """How many backgrounds `measure` likes to get at a time."""
        return 1

    @property
    def cache_key(self) -> str:
        """What the measured depth depends on besides the pixels: equal keys, equal depth."""
        return self.name

    @abstractmethod
    def contract(self, size: Size, known: float) -> DepthContract | None:
        """What `depth_m` means; None if there is none.

        known: the part of the backgrounds that come with depth of their own, 0..1.
        """

    @abstractmethod
    def needs_measuring(self, has_depth: bool) -> bool:
        """Whether a model has to look at a background with or without depth of its own."""

    @abstractmethod
    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """The same backgrounds with `depth_m` float32 [h, w] [m], or without, as the stage says."""
