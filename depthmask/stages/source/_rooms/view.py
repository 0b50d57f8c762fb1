"""The camera: rays from its pose, and the extents of solids in the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.kernels.compiled import Floats
from depthmask.kernels.rays import BALL, BOX, ROUND, Bodies, times
from depthmask.stages.source._rooms.angles import cosine, sine

NEAR_M = 0.05
Extent: TypeAlias = tuple[float, float, float, float]
"""(u low, u high, v low, v high)."""
EVERYWHERE = np.array([-np.inf, np.inf, -np.inf, np.inf])
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
        sy, cy = sine(self.yaw), cosine(self.yaw)
        sp, cp = sine(self.pitch), cosine(self.pitch)
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


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """n bodies as the camera sees them.

    frames: float64 [n, 14], as `cast_rays` takes them. reach: float64 [n, 4], the extent of each in
    the image, infinite for bodies that reach behind the camera. is_ahead: bool [n], those that are
    at least partly in front of the camera.
    """

    frames: NDArray[np.float64]
    reach: Floats
    is_ahead: NDArray[np.bool_]


def seen_from(view: View, solids: Bodies) -> Seen:
    """The bodies as the camera sees them, and their exact extents in its image.

    A box spans its corners. An ellipsoid's outline is a conic whose dual is the projected dual
    quadric; a tapered cylinder is the hull of its two discs, which are flat dual quadrics.
    """
    basis, half = view.basis, solids.half
    # In camera coordinates: components first, then bodies, then axes.
    centre = np.stack(times(basis.T, (solids.centre - view.eye).T))
    axes = (solids.inverse * (half * half)[..., None]).transpose(2, 0, 1)
    axes = np.stack(times(basis.T, axes))
    half_z = np.abs(axes[2])
    is_ahead = centre[2] + (half_z[:, 0] + half_z[:, 1] + half_z[:, 2]) > 0
    return Seen(frames(view, solids), _reach(solids, centre, axes), is_ahead)


def frames(view: View, solids: Bodies) -> NDArray[np.float64]:
    """The eye and its rays in the unit frame of each body: [n, 14], as `cast_rays` takes them."""
    basis, inverse = view.basis, solids.inverse
    rows = np.empty((len(inverse), 14))
    rows[:, :2] = solids.table[:, :2]
    eye = -(inverse * (solids.centre - view.eye)[:, None])
    rows[:, 2:5] = eye[..., 0] + eye[..., 1] + eye[..., 2]
    rays = [inverse[:, :, i, None] * basis[i] for i in range(3)]
    rows[:, 5:] = (rays[0] + rays[1] + rays[2]).reshape(-1, 9)
    return rows


def _reach(solids: Bodies, centre: Floats, axes: Floats) -> Floats:
    """The extents [n, 4]. centre: [3, n]; axes: [3, n, 3], both in camera coordinates."""
    kind, taper = solids.table[:, 0], solids.table[:, 1]
    reach = np.empty((len(kind), 4))
    is_box = kind == BOX
    reach[is_box] = _corners(centre[:, is_box], axes[:, is_box])
    is_ball = kind == BALL
    reach[is_ball] = _outline(centre[:, is_ball], [axes[:, is_ball, i] for i in range(3)])
    (at,) = np.nonzero(kind == ROUND)
    middle, (across, along, deep) = centre[:, at], (axes[:, at, i] for i in range(3))
    low = _outline(middle - along, [across, deep])
    high = _outline(middle + along, [across * taper[at], deep * taper[at]])
    is_lower = [True, False, True, False]
    reach[at] = np.where(is_lower, np.minimum(low, high), np.maximum(low, high))
    return reach


def _corners(centre: Floats, axes: Floats) -> Floats:
    """The extents [n, 4] of boxes."""
    x, y, z = (
        of[:, None] + (way[:, :1] * CORNERS[0] + way[:, 1:2] * CORNERS[1] + way[:, 2:] * CORNERS[2])
        for of, way in zip(centre, axes, strict=True)
    )
    is_near = z.min(axis=1) <= NEAR_M
    z = np.where(is_near[:, None], 1.0, z)
    u, v = x / z, y / z
    reach = np.stack([u.min(axis=1), u.max(axis=1), v.min(axis=1), v.max(axis=1)], axis=1)
    return np.where(is_near[:, None], EVERYWHERE, reach)


def _outline(centre: Floats, axes: Sequence[Floats]) -> Floats:
    """The extents [n, 4] of ellipsoids, or of flat discs.

    centre: [3, n]. axes: three or two half axes, each [3, n].
    """
    square = sum(axis[2] * axis[2] for axis in axes)
    is_near = np.sqrt(square) >= centre[2] - NEAR_M
    scale = np.where(is_near, 1.0, square - centre[2] * centre[2])
    ends = []
    for i in (0, 1):
        across, own = (
            sum(axis[i] * axis[j] for axis in axes) - centre[i] * centre[j] for j in (2, i)
        )
        root = np.sqrt(np.maximum(across * across - own * scale, 0))
        middle, reach = across / scale, root / np.abs(scale)
        ends += [middle - reach, middle + reach]
    return np.where(is_near[:, None], EVERYWHERE, np.stack(ends, axis=1))


def extent(solids: Bodies, view: View) -> Extent:
    """The smallest extent that contains all solids that do not reach behind the camera."""
    reach = seen_from(view, solids).reach
    finite = reach[np.isfinite(reach).all(axis=1)]
    low, high = finite.min(axis=0), finite.max(axis=0)
    return float(low[0]), float(high[1]), float(low[2]), float(high[3])
