"""Intersection of rays with solids, and the first surface that each ray of an image hits.

Everything is computed in the unit frame of each solid, where the parameter of a ray is the same as
in the world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.solids import Floats, Shape, Solid
from depthmask.stages.source._rooms.view import Extent, Grid, View, extent

FACES = 6
"""Surfaces 0..5 are faces of the room: left, right, floor, ceiling, front, back; solids follow."""
NOTHING = -1
Components: TypeAlias = Sequence[Any] | Floats
"""x, y and z, each an array or a number."""


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The first hit of each ray.

    z: [h, w], planar z in metres, inf without a hit. surface: int16 [h, w], its number.
    """

    z: Floats
    surface: NDArray[np.int16]


def span(solid: Solid, start: Components, ray: Components) -> tuple[Floats, Floats]:
    """The parameters where rays enter and leave a solid; enter > leave for rays that miss it.

    start, ray: three components each, in the solid's unit frame.
    """
    # A ray along a face divides by zero; the infinities then compare as they should.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if solid.shape is Shape.box:
            return _box_span(start, ray)
        if solid.shape is Shape.ball:
            return _ball_span(start, ray)
        return _round_span(start, ray, solid.taper)


def _slab(start: Any, ray: Floats) -> tuple[Floats, Floats]:
    inverse = 1 / ray
    middle, reach = -start * inverse, np.abs(inverse)
    return middle - reach, middle + reach


def _box_span(start: Components, ray: Components) -> tuple[Floats, Floats]:
    near, far = _slab(start[0], ray[0])
    for i in (1, 2):
        low, high = _slab(start[i], ray[i])
        near, far = np.maximum(near, low), np.minimum(far, high)
    return near, far


def _roots(a: Floats, b: Floats, c: Any) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """(lower solution, upper solution, whether there is none) of a t^2 + 2 b t + c = 0."""
    square = b * b - a * c
    root = np.sqrt(np.maximum(square, 0))
    first, second = (-b - root) / a, (-b + root) / a
    return np.minimum(first, second), np.maximum(first, second), square < 0


def _ball_span(start: Components, ray: Components) -> tuple[Floats, Floats]:
    a = ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]
    b = start[0] * ray[0] + start[1] * ray[1] + start[2] * ray[2]
    c = start[0] ** 2 + start[1] ** 2 + start[2] ** 2 - 1
    near, far, missed = _roots(a, b, c)
    return np.where(missed, np.inf, near), far


def _round_span(start: Components, ray: Components, taper: float) -> tuple[Floats, Floats]:
    """The span of a tapered cylinder."""
    # The radius at height y is middle + slope * y.
    middle, slope = (1 + taper) / 2, (taper - 1) / 2
    radius = middle + slope * start[1]
    a = ray[0] * ray[0] + ray[2] * ray[2] - (slope * ray[1]) ** 2
    b = start[0] * ray[0] + start[2] * ray[2] - slope * ray[1] * radius
    c = start[0] ** 2 + start[2] ** 2 - radius**2
    first, second, missed = _roots(a, b, c)
    low, high = _slab(start[1], ray[1])
    near, far = np.where(missed, np.inf, np.maximum(first, low)), np.minimum(second, high)
    steep = a < 0
    if steep.any():
        # Steeper than the cone's side: inside before the first root and after the second, on
        # two nappes of which the slab cuts one.
        lower = missed | (low <= first)
        near = np.where(steep, np.where(lower, low, np.maximum(low, second)), near)
        far = np.where(steep, np.where(lower & ~missed, np.minimum(high, first), high), far)
    return near, far


@dataclass(frozen=True, slots=True, eq=False)
class VisibleSolid:
    """A solid in front of the camera.

    surface: its number. reach: its extent in the image, None for all of the image. eye, matrix:
    float64 [3] and [3, 3], the camera's position and its rays (u, v, 1) in the solid's unit frame.
    """

    surface: int
    solid: Solid
    reach: Extent | None
    eye: Floats
    matrix: Floats


def visible_solids(view: View, solids: Sequence[Solid]) -> list[VisibleSolid]:
    """The solids that are at least partly in front of the camera."""
    seen = []
    basis = view.basis
    for number, solid in enumerate(solids, start=FACES):
        away = solid.centre - view.eye
        if basis[:, 2] @ away + np.abs(basis[:, 2] @ solid.axes).sum() > 0:
            inverse = solid.inverse
            reach = extent(solid, view)
            seen.append(VisibleSolid(number, solid, reach, -(inverse @ away), inverse @ basis))
    return seen


def nearest(grid: Grid, room: VisibleSolid | None, seen: Sequence[VisibleSolid]) -> Hits:
    """The first surface that each ray hits, in the precision of the grid's arrays.

    room: a box seen from inside, or None if rays may hit nothing.
    """
    if room is not None:
        z, surface = _inside(grid, room)
    else:
        shape = (grid.v.size, grid.u.size)
        z = np.full(shape, np.inf, dtype=grid.u.dtype)
        surface = np.full(shape, NOTHING, dtype=np.int16)
    for target in seen:
        rows, columns = _window(target.reach, grid)
        window = Grid(grid.u[columns], grid.v[rows])
        if window.u.size == 0 or window.v.size == 0:
            continue
        eye = target.eye.astype(grid.u.dtype)
        enter, leave = span(target.solid, eye, window.vectors(target.matrix))
        first = (enter <= leave) & (enter > 0) & (enter < z[rows, columns])
        np.copyto(z[rows, columns], enter, where=first)
        np.copyto(surface[rows, columns], target.surface, where=first)
    return Hits(z, surface)


def _inside(grid: Grid, room: VisibleSolid) -> tuple[Floats, NDArray[np.int16]]:
    """(z, face) where each ray leaves the room."""
    eye, ray = room.eye.astype(grid.u.dtype), grid.vectors(room.matrix)
    z = np.full((grid.v.size, grid.u.size), np.inf, dtype=grid.u.dtype)
    surface = np.zeros(z.shape, dtype=np.int16)
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis in range(3):
            _, leave = _slab(eye[axis], ray[axis])
            first = leave < z
            np.copyto(z, leave, where=first)
            np.copyto(surface, (ray[axis] > 0) + np.int16(2 * axis), where=first)
    return z, surface


def _window(reach: Extent | None, grid: Grid) -> tuple[slice, slice]:
    """The rows and columns of the grid whose rays may hit a solid of this extent."""
    if reach is None:
        return slice(None), slice(None)
    # One ray of margin: the grid may be float32.
    left, right = np.searchsorted(grid.u, reach[:2])
    top, bottom = np.searchsorted(grid.v, reach[2:])
    return slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1)


def blocked(starts: Floats, targets: Floats, solids: Sequence[Solid]) -> NDArray[np.bool_]:
    """Whether a solid lies between points and targets: bool [m, n].

    starts: [3, n]. targets: [3, m, 1], or [3, m, n] with own targets for each point.
    """
    kind = starts.dtype
    shadow = np.zeros(np.broadcast_shapes(targets.shape[1:], starts.shape[1:]), dtype=bool)
    goals = targets.reshape(3, -1)
    for solid in solids:
        inverse, centre = solid.inverse.astype(kind), solid.centre.astype(kind)[:, None]
        start = inverse @ (starts - centre)
        way = (inverse @ (goals - centre)).reshape(targets.shape) - start[:, None, :]
        enter, leave = span(solid, start, way)
        shadow |= (enter <= leave) & (leave > 0) & (enter < 1)
    return shadow
