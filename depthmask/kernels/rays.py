"""Casting rays at bodies: boxes, ellipsoids and tapered cylinders.

Everything is computed in the unit frame of each body, where the parameter of a ray is the same as
in the world. There a box lies between -1 and 1 along each axis, an ellipsoid is the unit ball, and
a cylinder has the radius 1 at y = -1 and the radius `taper` at y = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32
from depthmask.kernels.compiled import Floats, native
from depthmask.kernels.extremes import greater, lesser

Components: TypeAlias = Sequence[Any] | Floats
"""x, y and z, each an array or a number."""
BOX, ROUND, BALL = range(3)
FACES = 6
"""Surfaces 0..5 are the faces of a box around all, 2 * axis, and 1 more at its upper end."""
NOTHING = -1
"""The surface of rays that hit nothing."""
_LEAST = 1e-30
"""Rays that move less in a direction do not move."""


@dataclass(frozen=True, slots=True, eq=False)
class Bodies:
    """n bodies in the world, and how patterns lie on them, in rows of numbers.

    table: float64 [n, 21]: kind, taper, centre [3], inverse [3, 3] to the unit frame, half axes
    [3], radius of a sphere around the body, bevel (width over which the edges of a box are shaded
    as if rounded), 1 if (u, v) are those of the unit body instead of metres, 1 if u and v change
    places. Lengths are in metres.
    """

    table: NDArray[np.float64]

    def __getitem__(self, which: Any) -> Bodies:
        return Bodies(np.ascontiguousarray(self.table[which]))

    @property
    def centre(self) -> Floats:
        """[n, 3], metres."""
        return self.table[:, 2:5]

    @property
    def half(self) -> Floats:
        """[n, 3]: the half axes, metres."""
        return self.table[:, 14:17]

    @property
    def inverse(self) -> Floats:
        """[n, 3, 3]: from the world to the unit frame."""
        return self.table[:, 5:14].reshape(-1, 3, 3)


class SurfacePoints(NamedTuple):
    """n points that rays hit, ordered by surface.

    position, normal: float32 [3, n]. u, v: float32 [n], where on the surface. ray: float32 [3, n],
    from the eye, not normalised. surface: int16 [n]. pixel: int32 [n], the number of the pixel.
    """

    position: Float32
    normal: Float32
    u: Float32
    v: Float32
    ray: Float32
    surface: NDArray[np.int16]
    pixel: NDArray[np.int32]


def times(matrix: Floats, vectors: Components) -> list[Any]:
    """The three components of [3, 3] times vectors, in one order of operations."""
    x, y, z = vectors
    return [row[0] * x + row[1] * y + row[2] * z for row in matrix]


def cast_rays(
    u: Floats,
    v: Floats,
    frames: NDArray[np.float64],
    windows: NDArray[np.int32],
    numbers: NDArray[np.int16],
    shell: NDArray[np.float64] | None = None,
) -> tuple[Floats, NDArray[np.int16]]:
    """(z, surface), each [h, w], of the first body that each ray meets.

    Rays are u * right + v * down + ahead, so that their parameter is planar z. u: [w], v: [h],
    increasing, in the precision of the result. frames: [n, 14], bodies as seen by the eye: kind,
    taper, the eye and the matrix from (u, v, 1) to rays, in the unit frame. windows: [n, 4], the
    rows and columns, first and stop, that see each body. numbers: [n], their surfaces. shell: the
    frame of a box seen from inside, whose faces are hit if nothing else is; without one, z is inf
    and the surface NOTHING.
    """
    z = np.full((v.size, u.size), np.inf, u.dtype)
    surface = np.full(z.shape, NOTHING, np.int16)
    if native is None:
        _cast_rays(u, v, frames, windows, numbers, shell, z, surface)
    else:
        inside = b"" if shell is None else np.ascontiguousarray(shell)
        native.cast_rays(u, v, frames, windows, numbers, inside, z, surface)
    return z, surface


def blocked(starts: Float32, targets: Float32, bodies: Bodies) -> NDArray[np.bool_]:
    """Whether a body lies between points and targets: bool [m, n].

    starts: [3, n]. targets: [3, m, 1], or [3, m, n] with own targets for each point.
    """
    starts, targets = np.ascontiguousarray(starts), np.ascontiguousarray(targets)
    if native is None:
        return _blocked(starts, targets, bodies)
    shadow = np.empty((targets.shape[1], starts.shape[1]), bool)
    native.blocked(starts, targets, bodies.table, shadow, targets.shape[1])
    return shadow


def surface_points(
    u: Float32,
    v: Float32,
    hits: tuple[Float32, NDArray[np.int16]],
    view: Float32,
    bodies: Bodies,
    oversample: int = 1,
) -> SurfacePoints:
    """The points of all rays that hit a surface.

    hits: z and surface, each [h, w]. view: [12], the matrix from (u, v, 1) to rays in the world,
    row by row, and the eye. oversample: rays for each pixel, along each side.
    """
    z, surface = hits
    if native is None:
        return _surface_points(u, v, z, surface, view, bodies, oversample)
    count = int(np.count_nonzero(surface != NOTHING))
    floats, numbers = np.empty((11, count), np.float32), np.empty(count, np.int16)
    pixel = np.empty(count, np.int32)
    native.surface_points(
        u, v, z, np.ascontiguousarray(surface), view, bodies.table, oversample, floats, numbers,
        pixel,
    )  # fmt: skip
    return SurfacePoints(floats[:3], floats[3:6], floats[6], floats[7], floats[8:], numbers, pixel)


def keep_busy(
    surface: NDArray[np.int16], is_busy: NDArray[np.bool_], oversample: int
) -> NDArray[np.uint8]:
    """Keep the rays of busy pixels, in place; returns how many rays of each pixel hit something.

    surface: [h * oversample, w * oversample]; the rays of all other pixels hit nothing afterwards.
    is_busy: [h, w]; pixels whose rays hit several surfaces are added.
    """
    if native is None:
        return _keep_busy(surface, is_busy, oversample)
    met = np.empty(is_busy.shape, np.uint8)
    native.keep_busy(surface, is_busy.shape[1], oversample, is_busy, met)
    return met


class _Span(NamedTuple):
    """The parameters where rays enter and leave a body, and whether they miss it.

    They also miss it if they enter it after they leave it.
    """

    enter: Floats
    leave: Floats
    is_missed: NDArray[np.bool_]


def _span(kind: int, taper: float, start: Components, ray: Components) -> _Span:
    """start, ray: three components each, in the body's unit frame."""
    # What is divided by zero is missed.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if kind == BOX:
            return _box_span(start, ray)
        if kind == BALL:
            return _ball_span(start, ray)
        return _round_span(start, ray, taper)


def _slab(start: Any, ray: Floats) -> _Span:
    """Between -1 and 1 along one axis. A ray along the slab misses it."""
    size, least = np.abs(ray), ray.dtype.type(_LEAST)
    reach = 1 / greater(size, least)
    middle = -start * np.copysign(reach, ray)
    return _Span(middle - reach, middle + reach, ~(size > least))


def _box_span(start: Components, ray: Components) -> _Span:
    near, far, is_missed = _slab(start[0], ray[0])
    for i in (1, 2):
        low, high, is_along = _slab(start[i], ray[i])
        near, far = greater(near, low), lesser(far, high)
        is_missed = is_missed | is_along
    return _Span(near, far, is_missed)


def _roots(a: Floats, b: Floats, c: Any) -> _Span:
    """Between the solutions of a t^2 + 2 b t + c = 0."""
    square = b * b - a * c
    root = np.sqrt(greater(square, square.dtype.type(0)))
    first, second = (-b - root) / a, (-b + root) / a
    return _Span(lesser(first, second), greater(first, second), (square < 0) | (a == 0))


def _ball_span(start: Components, ray: Components) -> _Span:
    a = ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]
    b = start[0] * ray[0] + start[1] * ray[1] + start[2] * ray[2]
    c = start[0] * start[0] + start[1] * start[1] + start[2] * start[2] - 1
    return _roots(a, b, c)


def _round_span(start: Components, ray: Components, taper: float) -> _Span:
    """The span of a tapered cylinder."""
    # The radius at height y is middle + slope * y.
    middle, slope = (1 + taper) / 2, (taper - 1) / 2
    radius, rise = middle + slope * start[1], slope * ray[1]
    a = ray[0] * ray[0] + ray[2] * ray[2] - rise * rise
    b = start[0] * ray[0] + start[2] * ray[2] - rise * radius
    c = start[0] * start[0] + start[2] * start[2] - radius * radius
    first, second, is_missed = _roots(a, b, c)
    low, high, is_along = _slab(start[1], ray[1])
    near, far = greater(first, low), lesser(second, high)
    # Steeper than the cone's side: inside before the first root and after the second, on two nappes
    # of which the slab cuts one.
    is_steep, is_lower = a < 0, is_missed | (low <= first)
    near = np.where(is_steep, np.where(is_lower, low, greater(low, second)), near)
    far = np.where(is_steep, np.where(is_lower & ~is_missed, lesser(first, high), high), far)
    return _Span(near, far, is_along | (is_missed & ~is_steep))


def _vectors(u: Floats, v: Floats, matrix: Floats) -> list[Floats]:
    """The three components [h, w] of `matrix` @ (u, v, 1) for all rays."""
    m = matrix.astype(u.dtype)
    return [m[i, 0] * u + (m[i, 1] * v + m[i, 2])[:, None] for i in range(3)]


def _cast_rays(
    u: Floats,
    v: Floats,
    frames: NDArray[np.float64],
    windows: NDArray[np.int32],
    numbers: NDArray[np.int16],
    shell: NDArray[np.float64] | None,
    z: Floats,
    surface: NDArray[np.int16],
) -> None:
    if shell is not None:
        _leave(u, v, shell, z, surface)
    for frame, (top, bottom, left, right), number in zip(frames, windows, numbers, strict=True):
        rays = _vectors(u[left:right], v[top:bottom], frame[5:].reshape(3, 3))
        enter, leave, missed = _span(
            int(frame[0]), float(frame[1]), frame[2:5].astype(u.dtype), rays
        )
        window = (slice(top, bottom), slice(left, right))
        first = (enter <= leave) & (enter > 0) & (enter < z[window]) & ~missed
        np.copyto(z[window], enter, where=first)
        np.copyto(surface[window], number, where=first)


def _leave(
    u: Floats,
    v: Floats,
    shell: NDArray[np.float64],
    z: Floats,
    surface: NDArray[np.int16],
) -> None:
    """Where each ray leaves the box, and through which face."""
    eye, rays = shell[2:5].astype(u.dtype), _vectors(u, v, shell[5:].reshape(3, 3))
    for axis in range(3):
        leave = _slab(eye[axis], rays[axis]).leave
        first = leave < z
        np.copyto(z, leave, where=first)
        np.copyto(surface, (rays[axis] > 0) + np.int16(2 * axis), where=first)


def _blocked(starts: Float32, targets: Float32, bodies: Bodies) -> NDArray[np.bool_]:
    shape = np.broadcast_shapes(targets.shape[1:], (1, starts.shape[1]))
    shadow = np.zeros(shape, dtype=bool)
    for row in bodies.table:
        centre, inverse = row[2:5].astype(np.float32), row[5:14].astype(np.float32).reshape(3, 3)
        start = times(inverse, starts - centre[:, None])
        goal = times(inverse, targets - centre[:, None, None])
        way = [end - begin for end, begin in zip(goal, start, strict=True)]
        enter, leave, missed = _span(int(row[0]), float(row[1]), start, way)
        shadow |= (enter <= leave) & (leave > 0) & (enter < 1) & ~missed
    return shadow


def _surface_points(
    u: Float32,
    v: Float32,
    z: Float32,
    surface: NDArray[np.int16],
    view: Float32,
    bodies: Bodies,
    oversample: int,
) -> SurfacePoints:
    (flat,) = np.nonzero(surface.ravel() != NOTHING)
    flat = flat[np.argsort(surface.ravel()[flat], kind="stable")]
    rows, columns = np.divmod(flat, u.size)
    numbers = surface.ravel()[flat]
    basis = view[:9].reshape(3, 3)
    ray = np.stack([b[0] * u[columns] + b[1] * v[rows] + b[2] for b in basis])
    position = ray * z.ravel()[flat] + view[9:, None]
    normal = np.empty_like(position)
    on_u, on_v = np.empty_like(position[0]), np.empty_like(position[0])
    starts = np.searchsorted(numbers, np.arange(FACES + len(bodies.table) + 1))
    for number in np.unique(numbers):
        own = slice(starts[number], starts[number + 1])
        if number < FACES:
            normal[:, own], on_u[own], on_v[own] = _face(int(number), position[:, own])
        else:
            body = bodies.table[number - FACES]
            normal[:, own], on_u[own], on_v[own] = _facet(body, position[:, own])
    pixel = rows // oversample * (u.size // oversample) + columns // oversample
    return SurfacePoints(position, normal, on_u, on_v, ray, numbers, pixel.astype(np.int32))


def _face(number: int, hit: Float32) -> tuple[Any, Floats, Floats]:
    """(normal, u, v) of points on a face of the box around all."""
    axis = number // 2
    inward = np.zeros((3, 1), dtype=hit.dtype)
    inward[axis] = 1 - 2 * (number % 2)
    across, up = ((2, 1), (0, 2), (0, 1))[axis]
    return inward, hit[across], hit[up]


def _facet(body: Floats, hit: Float32) -> tuple[Any, Floats, Floats]:
    """(normal, u, v) of points on a body."""
    inverse, half = body[5:14].astype(np.float32).reshape(3, 3), body[14:17].astype(np.float32)
    unit = np.stack(times(inverse, hit - body[2:5].astype(np.float32)[:, None]))
    if body[0] == BOX:
        slope, u, v = _box_facet(body, unit, half)
    else:
        slope = unit.copy()
        if body[0] == ROUND:
            cap = np.abs(unit[1]) > np.float32(0.999)
            slope[1] = np.where(cap, unit[1] * np.float32(1e4), np.float32((1 - body[1]) / 2))
        u, v = (unit[0] + unit[2]) * half[0], unit[1] * half[1]
    normal = np.stack(times(inverse.T, slope))
    x, y, z = normal
    return normal / np.sqrt(x * x + y * y + z * z), u, v


def _box_facet(body: Floats, unit: Float32, half: Float32) -> tuple[Floats, Floats, Floats]:
    """(gradient in the unit frame, u, v) of points on a box."""
    size = np.abs(unit)
    face = np.argmax(size, axis=0)
    # Near an edge the normal leans towards the neighbouring face, as if the edge were rounded.
    gap = (1 - size) * half[:, None]
    lean: Floats = 1 - gap / np.minimum(np.float32(body[18]), half)[:, None]
    lean = lesser(greater(lean, np.float32(0)), np.float32(1))
    lean = np.float32(0.8) * lean * lean
    np.put_along_axis(lean, face[None], 1.0, axis=0)
    # Scaled by `half`, so that the inverse transpose gives back the lean in world lengths.
    slope = np.copysign(np.float32(1), unit) * lean * half[:, None]
    x, y, z = unit if body[19] else unit * half[:, None]
    u, v = np.where(face == 0, z, x), np.where(face == 1, z, y)
    return (slope, v, u) if body[20] else (slope, u, v)


def _keep_busy(
    surface: NDArray[np.int16], is_busy: NDArray[np.bool_], oversample: int
) -> NDArray[np.uint8]:
    height, width = is_busy.shape
    rays = surface.reshape(height, oversample, width, oversample)
    is_busy |= (rays != rays[:, :1, :, :1]).any(axis=(1, 3))
    met = (rays != NOTHING).sum(axis=(1, 3)).astype(np.uint8)
    np.copyto(rays, np.int16(NOTHING), where=~is_busy[:, None, :, None])
    return np.asarray(met)
