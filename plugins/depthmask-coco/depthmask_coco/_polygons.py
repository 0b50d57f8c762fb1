"""Polygons to masks, pixel for pixel as pycocotools does it (rleFrPoly in its maskApi.c).

The outline is drawn on a grid five times as fine; a pixel belongs to the polygon if the outline
crosses its column an odd number of times up to it. https://github.com/cocodataset/cocoapi
"""

from __future__ import annotations

import numpy as np
from depthmask import Size, UInt8
from numpy.typing import NDArray

_SCALE = 5


def polygon_mask(
    points: NDArray[np.float64], size: Size, corner: tuple[int, int] = (0, 0)
) -> UInt8:
    """uint8 [h, w], 1 inside of a closed polygon. points: float64 [n, 2] of x, y in pixels.

    corner: x and y of the upper left pixel, for a part of the photograph that has the polygon.
    """
    height, width = size
    across, down = _outline(np.trunc(_SCALE * points + 0.5).astype(np.int64))
    pixels = _crossings(across, down, size, corner)
    inside = np.bincount(pixels[pixels < height * width], minlength=height * width)
    odd = np.cumsum(inside, dtype=np.int64) & 1
    return np.ascontiguousarray(odd.astype(np.uint8).reshape(width, height).T)


def outline_length(points: NDArray[np.float64]) -> float:
    """How many points the outline of a polygon has on the fine grid."""
    steps = np.abs(points - np.roll(points, -1, axis=0)).max(axis=1)
    return float(steps.sum()) * _SCALE + len(points)


def _outline(corners: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The points of the closed outline, x and y, one step apart along the longer axis."""
    starts, stops = corners, np.roll(corners, -1, axis=0)
    (across, down) = np.abs(stops - starts).T
    is_flat = across >= down
    steps = np.maximum(across, down)
    is_back = np.where(is_flat, starts[:, 0] > stops[:, 0], starts[:, 1] > stops[:, 1])
    low = np.where(is_back[:, None], stops, starts)
    high = np.where(is_back[:, None], starts, stops)
    rise = np.where(is_flat, high[:, 1] - low[:, 1], high[:, 0] - low[:, 0])
    # A single point has no slope; pycocotools divides 0 by 0 there, and adds 0 times that.
    slope = rise / np.maximum(steps, 1)
    edge = np.repeat(np.arange(len(corners)), steps + 1)
    count = np.arange(len(edge)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
    along = np.where(is_back[edge], steps[edge] - count, count)
    minor = np.where(is_flat, low[:, 1], low[:, 0])[edge]
    other = np.trunc(minor + slope[edge] * along + 0.5).astype(np.int64)
    major = np.where(is_flat, low[:, 0], low[:, 1])[edge] + along
    flat = is_flat[edge]
    return np.where(flat, major, other), np.where(flat, other, major)


def _crossings(
    across: NDArray[np.int64], down: NDArray[np.int64], size: Size, corner: tuple[int, int]
) -> NDArray[np.int64]:
    """Where the outline crosses the middle of a column: numbers of pixels, column by column."""
    height, width = size
    moves = np.flatnonzero(across[1:] != across[:-1])
    x = np.minimum(across[moves], across[moves + 1])
    y = np.minimum(down[moves], down[moves + 1])
    # (x + 0.5) / 5 - 0.5 is a whole number for x = 2, 7, 12, ...
    column = (x - 2) // _SCALE - corner[0]
    is_middle = (x - 2) % _SCALE == 0
    is_middle &= (column >= 0) & (column <= width - 1)
    row = np.ceil((y[is_middle] + 0.5) / _SCALE - 0.5).astype(np.int64) - corner[1]
    return column[is_middle] * height + np.clip(row, 0, height)
