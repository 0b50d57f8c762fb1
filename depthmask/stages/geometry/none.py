"""No geometry: backgrounds are images without depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from depthmask.data import Background, DepthContract, Size
from depthmask.stage import stage
from depthmask.stages.geometry.base import Geometry


@stage("none")
class NoGeometry(Geometry):
    """No depth for backgrounds, even if the source has it."""

    def contract(self, size: Size, known: float) -> DepthContract | None:
        """None, since there is no depth."""
        return None

    def needs_measuring(self, has_depth: bool) -> bool:
        """False for every background."""
        return False

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """The backgrounds without depth, camera and floor."""
        return [replace(one, depth_m=None, camera=None, plane=None) for one in backgrounds]
