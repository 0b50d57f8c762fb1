"""The default geometry: what the source knows, else FastDepth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from depthmask.data import Background, DepthContract, Size
from depthmask.stage import stage
from depthmask.stages.depth.fastdepth import FastDepth
from depthmask.stages.geometry.base import Geometry
from depthmask.stages.geometry.estimated import EstimatedGeometry
from depthmask.stages.geometry.source import SourceGeometry


@stage("auto")
class Auto(Geometry):
    """The source's own depth where a background has it, else `fastdepth`."""

    @cached_property
    def _fallback(self) -> EstimatedGeometry:
        return EstimatedGeometry(FastDepth())

    @property
    def batch_size(self) -> int:
        """The fallback's."""
        return self._fallback.batch_size

    @property
    def cache_key(self) -> str:
        """The fallback's: only its answers are kept."""
        return self._fallback.cache_key

    def contract(self, size: Size, known: float) -> DepthContract | None:
        """The source's or the fallback's; for a mixture, the wider range and both names."""
        own, guessed = SourceGeometry().contract(size, known), self._fallback.contract(size, known)
        if known == 1 or guessed is None:
            return own
        if known == 0:
            return guessed
        return replace(
            guessed, near=own.near, far=own.far, estimator=f"source, {guessed.estimator}"
        )

    def needs_measuring(self, has_depth: bool) -> bool:
        """Where the source has no depth."""
        return not has_depth

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """Ask the network about those without depth, all in one batch."""
        unknown = [one for one in backgrounds if one.depth_m is None]
        measured = iter(self._fallback.measure(unknown) if unknown else ())
        return [next(measured) if one.depth_m is None else one for one in backgrounds]
