"""The default geometry: the source's depth, or else FastDepth's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from depthmask.data import Background, DepthContract, Size
from depthmask.stage import stage
from depthmask.stages.depth.base import Estimator
from depthmask.stages.depth.fastdepth import FastDepth
from depthmask.stages.geometry.base import Geometry
from depthmask.stages.geometry.estimated import EstimatedGeometry
from depthmask.stages.geometry.source import SourceGeometry


@stage("auto")
class Auto(Geometry):
    """The depth of the source for backgrounds that have it, else `fastdepth`."""

    @cached_property
    def _fallback(self) -> EstimatedGeometry:
        return EstimatedGeometry(FastDepth())

    def inner_stages(self) -> Sequence[Estimator]:
        """FastDepth, which measures backgrounds without depth."""
        return self._fallback.inner_stages()

    @property
    def batch_size(self) -> int:
        """The batch size of FastDepth."""
        return self._fallback.batch_size

    @property
    def cache_key(self) -> str:
        """The key of FastDepth, since only its depth is cached."""
        return self._fallback.cache_key

    def contract(self, size: Size, known: float) -> DepthContract | None:
        """The contract of the source or of FastDepth; both names and the wider range if mixed."""
        own = SourceGeometry().contract(size, known)
        estimated = self._fallback.contract(size, known)
        if known == 1 or estimated is None:
            return own
        if known == 0:
            return estimated
        return replace(
            estimated, near=own.near, far=own.far, estimator=f"source, {estimated.estimator}"
        )

    def needs_measuring(self, has_depth: bool) -> bool:
        """True for a background without depth."""
        return not has_depth

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """Estimate the depth of backgrounds without it, all in one call."""
        without_depth = [one for one in backgrounds if one.depth_m is None]
        measured = iter(self._fallback.measure(without_depth) if without_depth else ())
        return [next(measured) if one.depth_m is None else one for one in backgrounds]
