"""Geometry by a depth estimator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from depthmask import forks
from depthmask.data import Background, DepthContract, DepthKind, Size
from depthmask.errors import UsageError
from depthmask.stage.calls import StageCalls, is_array
from depthmask.stages.depth.base import Estimator
from depthmask.stages.geometry.base import Geometry


class EstimatedGeometry(Geometry):
    """The depth of an estimator for every background, even if the source knows it."""

    def __init__(self, estimator: Estimator) -> None:
        self.name = estimator.name  # type: ignore[misc]
        self._estimator = estimator

    def inner_stages(self) -> Sequence[Estimator]:
        """The estimator."""
        return (self._estimator,)

    @property
    def batch_size(self) -> int:
        """The batch size of the estimator."""
        return self._estimator.batch_size

    @property
    def cache_key(self) -> str:
        """The key of the estimator."""
        return self._estimator.cache_key

    def contract(self, size: Size, known: float) -> DepthContract | None:
        """The estimator's contract; `UsageError` unless it gives metres at the canvas's size."""
        contract = self._estimator.contract(size, None)
        if contract is not None and contract.kind is not DepthKind.metric_z:
            raise UsageError(
                f"geometry={self.name}: it gives {contract.kind.name}, and objects are set in by "
                "metres; use it as depth, or choose an estimator of metric depth"
            )
        if contract is not None and contract.resolution != size:
            raise UsageError(
                f"geometry={self.name}: its maps are {contract.resolution}, the canvas is {size}; "
                "geometry needs resolution=image"
            )
        return contract

    def needs_measuring(self, has_depth: bool) -> bool:
        """True for every background."""
        return True

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """The estimated depth of each background; a floor plane of the source is dropped."""
        forks.network(f"geometry={self.name}")
        images = np.stack([one.image for one in backgrounds])
        calls = StageCalls(self._estimator, "estimate", "geometry")
        with calls:
            depth_m = self._estimator.estimate(images)
        if not is_array(depth_m, np.float32, images.shape[:3]):
            raise calls.returned(depth_m, f"float32 {list(images.shape[:3])}")
        return [
            replace(background, depth_m=depth, plane=None, guessed=True)
            for background, depth in zip(backgrounds, depth_m, strict=True)
        ]


def as_geometry(stage: Geometry | Estimator) -> Geometry:
    """The geometry stage itself, or an estimator as a geometry stage."""
    return EstimatedGeometry(stage) if isinstance(stage, Estimator) else stage
