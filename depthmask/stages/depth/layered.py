"""Layered depth: the background's depth with the objects set in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from depthmask.data import (
    Composite,
    DepthContract,
    DepthMode,
    Float32,
    Layer,
    LayerPixels,
    Size,
)
from depthmask.errors import UsageError
from depthmask.stage import setting, stage
from depthmask.stages.depth.base import Depth


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
        # From back to front, so that of two objects the one in front has the last word.
        for part in composite.parts:
            layer = composite.layers[part.number - 1]
            if reliefs and part.relief is not None and layer.depth_m:
                found: Float32 | np.float32 = _relief_m(composite, layer, part)
            else:
                found = np.float32(layer.depth_m or 0)
            np.copyto(depth_m[part.window], found, where=part.alpha >= 128)
        return depth_m


def _relief_m(composite: Composite, layer: Layer, part: LayerPixels) -> Float32:
    """Depth of the object's pixels [h, w]."""
    camera, background_m = composite.background.camera, composite.background.depth_m
    assert camera is not None, "asked before"
    assert background_m is not None, "asked before"
    assert part.relief is not None, "asked before"
    assert layer.depth_m is not None, "asked before"
    foot_m = np.float32(layer.depth_m)
    box_m = np.float32(layer.height * layer.depth_m / camera.f_px)
    found = foot_m + part.relief * box_m
    # Before the object's own wall; and no nearer than all of the background, or than the foot
    # point: both are within the contract, half the foot's depth need not be.
    nearest_m = min(_nearest(background_m), foot_m)
    return np.clip(found, nearest_m, np.maximum(background_m[part.window], foot_m), out=found)


def _nearest(depth_m: Float32) -> np.float32:
    """The least valid depth, infinite if there is none."""
    least = depth_m.min()
    # Seldom 0: most maps are whole, and the selection takes ten times as long.
    return np.float32(least if least > 0 else depth_m.min(where=depth_m > 0, initial=np.inf))
