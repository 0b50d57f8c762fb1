"""Layered depth: the background's depth with the layers set into it."""

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
from depthmask.kernels.covering import set_nearer
from depthmask.stage import setting, stage
from depthmask.stages.depth.base import Depth


@stage("layered")
class Layered(Depth):
    """The background's depth with each object set in at its own depth.

    That is the depth that the placement gave it (`ground`), or else the least of the depth at its
    foot point, of the background that it covers, and of the objects that it hides: what hides
    something is never farther. Objects are flat, or have their own relief if the source knows it
    (`rooms` does) and the camera is known. Relief scales with the object: a pixel that is half the
    object's height behind the foot stays so at any size. No pixel is deeper than what it covers, or
    nearer than all of the background. Occlusion depends on the depths of whole objects alone. A
    pixel belongs to the front object whose alpha there is at least half of its usual alpha (the
    median away from its edges: 255 for an opaque object), so a soft edge never mixes two depths. No
    network runs on the composite.
    """

    reads_geometry = True

    relief: bool = setting(True, help="give objects their relief where known; false: all are flat")

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
        return [self._depth_of(composite) for composite in composites]

    def _depth_of(self, composite: Composite) -> Float32:
        """The background's depth with all layers set into it."""
        background_m = composite.background.depth_m
        assert background_m is not None, "the framework completes backgrounds for reads_geometry"
        depth_m = background_m.copy()
        has_relief = self.relief and composite.background.camera is not None
        # From back to front, so that the front layer covers the others.
        for pixels in composite.layer_pixels:
            layer = composite.layers[pixels.number - 1]
            layer_m: Float32 | float = float(layer.depth_m or 0)
            if has_relief and pixels.relief is not None and layer.depth_m:
                layer_m = _relief_m(composite, layer, pixels)
            # What it covers may be nearer: a network's depth by the placement's tolerance, and the
            # relief of another layer. Then that depth stays.
            set_nearer(depth_m[pixels.window], layer_m, pixels.alpha, pixels.least_alpha)
        return depth_m


def _relief_m(composite: Composite, layer: Layer, pixels: LayerPixels) -> Float32:
    """Depth of the layer's pixels, float32 [h, w] in metres."""
    camera, background_m = composite.background.camera, composite.background.depth_m
    assert camera is not None, "checked by the caller"
    assert background_m is not None, "checked by the caller"
    assert pixels.relief is not None, "checked by the caller"
    assert layer.depth_m is not None, "checked by the caller"
    foot_m = np.float32(layer.depth_m)
    box_m = np.float32(layer.height * layer.depth_m / camera.f_px)
    depth_m = foot_m + pixels.relief * box_m
    # Not nearer than the nearer of the nearest background and the foot point, nor farther than the
    # farther of them: these are within the contract's range, other depth may not be.
    nearest_m = min(_nearest(background_m), foot_m)
    return np.clip(depth_m, nearest_m, np.maximum(background_m[pixels.window], foot_m), out=depth_m)


def _nearest(depth_m: Float32) -> np.float32:
    """The least valid depth, infinite without any."""
    least = depth_m.min()
    # Most maps have no invalid pixels, and the masked minimum takes ten times as long.
    return np.float32(least if least > 0 else depth_m.min(where=depth_m > 0, initial=np.inf))
