"""No depth: only images and masks."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.data import Composite, DepthContract, Size
from depthmask.stage import stage
from depthmask.stages.depth.base import Depth


@stage("none")
class NoDepth(Depth):
    """No depth maps."""

    def contract(self, size: Size, geometry: DepthContract | None) -> None:
        """None, since there are no depth maps."""

    def annotate(self, composites: Sequence[Composite]) -> Sequence[None]:
        """None for each composite."""
        return [None] * len(composites)
