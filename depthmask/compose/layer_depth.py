"""The depths of layers whose placement gives none, so that depth agrees with what hides what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depthmask.compose.common_pixels import Window, common_pixels
from depthmask.data import Background, Layer, LayerPixels
from depthmask.kernels.covering import least_depth


def layer_depths(
    background: Background, stacked: Sequence[tuple[Layer, LayerPixels]]
) -> dict[int, float | None]:
    """The depth of each layer in metres, by its number.

    stacked: the layers from back to front. The depth that a placement gave is kept. Otherwise it is
    the least of the depth at the foot point, of the background that the layer covers, and of the
    layers that it hides. None where the background has no depth.
    """
    if background.depth_m is None:
        return {pixels.number: layer.depth_m for layer, pixels in stacked}
    depths: dict[int, float | None] = {}
    for position, (layer, pixels) in enumerate(stacked):
        depth_m = layer.depth_m
        if depth_m is None:
            depth_m = _covered_depth(background, pixels, foot_depth(background, layer))
            for _, other in stacked[:position]:
                other_m = depths[other.number]
                # The pixels of two layers are compared only where that may decide.
                is_nearer = other_m is not None and (depth_m is None or other_m < depth_m)
                if is_nearer and _overlap(pixels, other):
                    depth_m = other_m
        depths[pixels.number] = depth_m
    return depths


def foot_depth(background: Background, layer: Layer) -> float | None:
    """The depth of the background in metres at the foot point, which is moved onto the canvas.

    If that pixel is invalid, the depth of the nearest valid one; None if none is valid.
    """
    depth_m = background.depth_m
    if depth_m is None:
        return None
    height, width = depth_m.shape
    row = min(max(layer.top + layer.height - 1, 0), height - 1)
    column = min(max(layer.left + layer.width // 2, 0), width - 1)
    if depth_m[row, column] > 0:
        return float(depth_m[row, column])
    rows, columns = np.nonzero(depth_m > 0)
    if not len(rows):
        return None
    nearest = np.argmin((rows - row) ** 2 + (columns - column) ** 2)
    return float(depth_m[rows[nearest], columns[nearest]])


def _covered_depth(
    background: Background, pixels: LayerPixels, foot_m: float | None
) -> float | None:
    """The least of the depth at the foot point and of the background that a layer covers."""
    assert background.depth_m is not None, "checked by the caller"
    covered_m = background.depth_m[pixels.window]
    least = least_depth(covered_m, pixels.alpha, pixels.least_alpha)
    if not least or foot_m is None:
        return least or foot_m
    return min(least, foot_m)


def _overlap(front: LayerPixels, behind: LayerPixels) -> bool:
    """Whether a layer hides a pixel of another one."""
    shared = common_pixels(front, behind)
    if shared is None:
        return False
    own, other = shared
    return bool((_shown(front, own) & _shown(behind, other)).any())


def _shown(pixels: LayerPixels, window: Window) -> NDArray[np.bool_]:
    """`LayerPixels.shown` in a window of it."""
    return np.asarray(pixels.alpha[window] >= pixels.least_alpha)
