"""The camera: rays from its pose, and the extents of solids in the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from depthmask.stages.source._rooms.solids import Floats, Shape, Solid

NEAR_M = 0.05
Extent: TypeAlias = tuple[float, float, float, float]
"""(u low, u high, v low, v high)."""
CORNERS = np.array(np.meshgrid([-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0])).reshape(3, 8)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The camera's position (float64 [3], metres) and direction (radians; pitch is downward)."""

    eye: Floats
    yaw: float
    pitch: float

    @property
    def basis(self) -> Floats:
        """float64 [3, 3]: its columns are the camera's right, down and forward in the world."""
        sy, cy = math.sin(self.yaw), math.cos(self.yaw)
        sp, cp = math.sin(self.pitch), math.cos(self.pitch)
        return np.array([[cy, -sp * sy, cp * sy], [0.0, -cp, -sp], [-sy, -sp * cy, cp * cy]])


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Rays through (u, v) = (x / z, y / z) in camera coordinates.

    u: [w], v: [h]. A ray is u * right + v * down + forward, so its parameter is planar z.
    """

    u: Floats
    v: Floats

    def rows(self, start: int, stop: int) -> Grid:
        """The rays of the rows from `start` to before `stop`."""
        return Grid(self.u, self.v[start:stop])

    def vectors(self, matrix: Floats) -> list[Floats]:
        """The three components [h, w] of `matrix` @ (u, v, 1) for all rays."""
        m = matrix.astype(self.u.dtype)
        return [m[i, 0] * self.u + (m[i, 1] * self.v + m[i, 2])[:, None] for i in range(3)]


def extent(solid: Solid, view: View) -> Extent | None:
    """The exact (u low, u high, v low, v high) of a solid, or None if it reaches behind the camera.

    A box spans its corners. An ellipsoid's outline is a conic whose dual is the projected dual
    quadric; a tapered cylinder is the hull of its two discs, which are flat dual quadrics.
    """
    frame = view.basis.T
    centre, axes = frame @ (solid.centre - view.eye), frame @ solid.axes
    if solid.shape is Shape.box:
        points = centre[:, None] + axes @ CORNERS
        if points[2].min() <= NEAR_M:
            return None
        u, v = points[0] / points[2], points[1] / points[2]
        return float(u.min()), float(u.max()), float(v.min()), float(v.max())
    if solid.shape is Shape.ball:
        outlines = [_outline(centre, axes)]
    else:
        flat = axes[:, [0, 2]]
        outlines = [_outline(centre - axes[:, 1], flat),
                    _outline(centre + axes[:, 1], flat * solid.taper)]  # fmt: skip
    visible = [outline for outline in outlines if outline is not None]
    if len(visible) < len(outlines):
        return None
    low, high = np.min(visible, axis=0), np.max(visible, axis=0)
    return float(low[0]), float(high[1]), float(low[2]), float(high[3])


def _outline(centre: Floats, axes: Floats) -> Extent | None:
    """The extent of an ellipsoid, or of a flat disc; None if it reaches behind the camera."""
    dual = axes @ axes.T - np.outer(centre, centre)
    if math.sqrt(float((axes[2] ** 2).sum())) >= centre[2] - NEAR_M:
        return None
    spans = []
    for i in (0, 1):
        root = math.sqrt(max(float(dual[i, 2] ** 2 - dual[i, i] * dual[2, 2]), 0.0))
        middle, reach = float(dual[i, 2] / dual[2, 2]), root / abs(float(dual[2, 2]))
        spans += [middle - reach, middle + reach]
    return spans[0], spans[1], spans[2], spans[3]


def union(extents: list[Extent]) -> Extent:
    """The smallest extent that contains all extents."""
    low, high = np.min(extents, axis=0), np.max(extents, axis=0)
    return float(low[0]), float(high[1]), float(low[2]), float(high[3])
