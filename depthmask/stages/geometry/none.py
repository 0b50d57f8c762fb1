"""No geometry: backgrounds are flat pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from depthmask.data import Background, DepthContract, Size
from depthmask.stage import stage
from depthmask.stages.geometry.base import Geometry


@stage("none")
class NoGeometry(Geometry):
    """No depth for backgrounds, even where the source has it."""

    def contract(self, size: Size, known: float) -> DepthContract | None:
        """None: there is no depth."""
        return None

    def needs_measuring(self, has_depth: bool) -> bool:
        """Never."""
        return False

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """The pictures alone."""
        return [replace(one, depth_m=None, camera=None, plane=None) for one in backgrounds]
