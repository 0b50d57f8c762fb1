"""Geometry: the depth of each background, measured once and cached."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from depthmask.data import Background, DepthContract, Size
from depthmask.stage import Stage


class Geometry(Stage):
    """Completes backgrounds with `depth_m`; only depth measured by a model is cached."""

    kind: ClassVar[str] = "geometry"

    @property
    def batch_size(self) -> int:
        """The number of backgrounds to pass to `measure` at a time."""
        return 1

    @property
    def cache_key(self) -> str:
        """A text of all that measured depth depends on besides pixels: equal keys, equal depth."""
        return self.name

    @abstractmethod
    def contract(self, size: Size, known: float) -> DepthContract | None:
        """The meaning of `depth_m`; None if the stage gives none.

        known: the fraction of backgrounds, 0..1, whose depth the source knows.
        """

    @abstractmethod
    def needs_measuring(self, has_depth: bool) -> bool:
        """Whether a model measures a background. has_depth: whether its source knows its depth."""

    @abstractmethod
    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """The backgrounds with `depth_m` float32 [h, w] in metres, or None if the contract is."""
