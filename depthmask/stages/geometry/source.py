"""Geometry from the source: rendered scenes and RGB-D photographs have it."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.data import Background, DepthContract, DepthKind, DepthMode, Size
from depthmask.errors import UsageError
from depthmask.stage import stage
from depthmask.stages.geometry.base import Geometry


@stage("source")
class SourceGeometry(Geometry):
    """The depth that the source has of each background; an error if one has none."""

    def contract(self, size: Size, known: float) -> DepthContract:
        """Metres in the range of 16-bit millimetres; values outside of it are an error."""
        return DepthContract(
            kind=DepthKind.metric_z,
            unit="m",
            near=0.001,
            far=65.535,
            invalid=0.0,
            clip=False,
            resolution=size,
            estimator="source",
            weights_sha256=None,
            mode=DepthMode.exact,
        )

    def needs_measuring(self, has_depth: bool) -> bool:
        """False for every background, since there is no model."""
        return False

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """The backgrounds unchanged; `UsageError` if one has no depth."""
        for background in backgrounds:
            if background.depth_m is None:
                raise UsageError(
                    f"geometry=source: background {background.key} has no depth of its own; "
                    "add its millimetre PNG to bg_depth/ or choose geometry=auto"
                )
        return list(backgrounds)
