"""Layered depth: the background's depth with the objects set in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from depthmask.data import (
    Composite,
    DepthContract,
    DepthMode,
    Float32,
    Layer,
    Size,
    Whole,
)
from depthmask.depth.base import Depth
from depthmask.errors import UsageError
from depthmask.stage import setting, stage


@stage("layered")
class Layered(Depth):
    """The background's depth with each object set in at the depth of its foot point.

    Flat, or with the object's own relief where the source knows it (`rooms` does) and the camera is
    known: a part that is behind the foot by half of the object's height stays so at any size. No
    part is deeper than the background there, or nearer than all of it. What hides what goes by the
    foot points alone. A pixel belongs to the object in front where that object's visible alpha is
    128 or more, so a soft edge is never a mixture of two depths. No network runs on the composite.
    """

    reads_geometry = True

    relief: bool = setting(True, help="objects with their relief where it is known, else flat")

    def contract(self, size: Size, geometry: DepthContract | None) -> DepthContract:
        """The contract of the backgrounds' depth, with `mode` composited."""
        if geometry is None:
            raise UsageError(
                "depth=layered geometry=none: layered sets objects into the depth of the "
                "background, and there is none; choose geometry=auto or depth=none"
            )
        return replace(geometry, mode=DepthMode.composited)

    def annotate(self, composites: Sequence[Composite]) -> list[Float32]:
        """float32 [h, w] in the unit of the geometry."""
        return [self._set_in(composite) for composite in composites]

    def _set_in(self, composite: Composite) -> Float32:
        background_m = composite.background.depth_m
        assert background_m is not None, "the framework completes backgrounds for reads_geometry"
        depth_m = background_m.copy()
        reliefs = self.relief and composite.background.camera is not None
        for number, layer in enumerate(composite.layers, start=1):
            own = composite.instances == number
            whole = composite.whole[number - 1] if reliefs else None
            if whole is not None and whole.relief is not None and layer.depth_m:
                _set_in_relief(depth_m, composite, layer, whole, own)
            else:
                # 9 us each for 160x160; one look-up of all by their numbers takes 60.
                np.copyto(depth_m, np.float32(layer.depth_m or 0), where=own)
        return depth_m


def _set_in_relief(
    depth_m: Float32, composite: Composite, layer: Layer, whole: Whole, own: NDArray[np.bool_]
) -> None:
    camera, background_m = composite.background.camera, composite.background.depth_m
    assert camera is not None, "asked before"
    assert background_m is not None, "asked before"
    assert whole.relief is not None, "asked before"
    assert layer.depth_m is not None, "asked before"
    height, width = whole.alpha.shape
    part = slice(whole.top, whole.top + height), slice(whole.left, whole.left + width)
    foot_m = np.float32(layer.depth_m)
    box_m = np.float32(layer.height * layer.depth_m / camera.f_px)
    found = foot_m + whole.relief * box_m
    # Before the object's own wall; and no nearer than all of the background, or than the foot
    # point: both are within the contract, half the foot's depth need not be.
    nearest_m = min(_nearest(background_m), foot_m)
    np.clip(found, nearest_m, np.maximum(background_m[part], foot_m), out=found)
    np.copyto(depth_m[part], found, where=own[part])


def _nearest(depth_m: Float32) -> np.float32:
    """The least valid depth, infinite if there is none."""
    least = depth_m.min()
    # Seldom 0: most maps are whole, and the selection takes ten times as long.
    return np.float32(least if least > 0 else depth_m.min(where=depth_m > 0, initial=np.inf))
