"""Boxes, tapered cylinders and ellipsoids, of which scenes are built.

Each is a unit body (the box -1..1, the cylinder of radius 1 between y = -1 and 1, the ball)
under an affine map, so that a ray hits it at the same parameter in the unit frame as in the world.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np

from depthmask.kernels.compiled import Floats
from depthmask.kernels.patterns import NORMALISED, Pattern
from depthmask.kernels.rays import BALL, BOX, ROUND, Bodies
from depthmask.stages.source._rooms.angles import cosine, sine
from depthmask.stages.source._rooms.material import Material

Span: TypeAlias = tuple[float, float]
"""(low, high) in metres."""
Point: TypeAlias = tuple[float, float, float]


class Shape(IntEnum):
    """The unit body."""

    box = BOX
    round = ROUND
    ball = BALL


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """A unit body in the world.

    centre: float64 [3], metres. axes: float64 [3, 3], whose columns are the half axes in metres,
    at right angles to each other. taper: radius at the top of a `round` relative to the bottom.
    bevel: width in metres over which the edges of a box are shaded as if rounded. piece: number of
    the piece of furniture that it belongs to; pieces cast shadows on themselves.
    """

    shape: Shape
    centre: Floats
    axes: Floats
    material: Material
    taper: float = 1.0
    bevel: float = 0.012
    piece: int = 0


def bodies(solids: Sequence[Solid]) -> Bodies:
    """The solids as rows of numbers, which rays are cast at."""
    table = np.zeros((len(solids), 21))
    if not solids:
        return Bodies(table)
    axes = np.stack([s.axes for s in solids])
    x, y, z = axes[:, 0], axes[:, 1], axes[:, 2]
    square = x * x + y * y + z * z
    half = np.sqrt(square)
    table[:, 0], table[:, 1] = [s.shape for s in solids], [s.taper for s in solids]
    table[:, 2:5] = [s.centre for s in solids]
    table[:, 5:14] = (axes / square[:, None]).transpose(0, 2, 1).reshape(-1, 9)
    table[:, 14:17], table[:, 17] = half, _radius(table[:, 0], table[:, 1], half)
    table[:, 18] = [s.bevel for s in solids]
    table[:, 19] = [s.material.pattern in NORMALISED for s in solids]
    # The grain of a board runs along it.
    is_wood = [s.shape is Shape.box and s.material.pattern is Pattern.wood for s in solids]
    table[:, 20] = is_wood & (half[:, 0] > np.maximum(half[:, 1], half[:, 2] * 0.9))
    return Bodies(table)


def _radius(kind: Floats, taper: Floats, half: Floats) -> Floats:
    """The radii [n] of spheres around bodies."""
    x, y, z = half.T
    wide = np.maximum(x, z)
    thick = wide * np.maximum(taper, 1)
    of_box, of_round = np.sqrt(x * x + y * y + z * z), np.sqrt(thick * thick + y * y)
    return np.where(kind == BALL, np.maximum(wide, y), np.where(kind == BOX, of_box, of_round))


def box(x: Span, y: Span, z: Span, material: Material, bevel: float = 0.012) -> Solid:
    """An upright box between the given coordinates."""
    middle = [float(low + high) / 2 for low, high in (x, y, z)]
    half = [float(high - low) / 2 for low, high in (x, y, z)]
    return Solid(Shape.box, np.array(middle), upright(half), material, bevel=bevel)


def ball(centre: Point, radii: Point, material: Material) -> Solid:
    """An ellipsoid along the world's axes."""
    return Solid(Shape.ball, np.array(centre, float), upright(radii), material)


def upright(half: Sequence[float]) -> Floats:
    """Half axes [3, 3] of the given lengths along the world's axes."""
    x, y, z = half
    return np.array([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, z]])


def rod(foot: Point, top: Point, radius: float, material: Material, taper: float = 1.0) -> Solid:
    """A round bar from `foot` to `top`; `radius` is at the foot."""
    half = [float(end - start) / 2 for start, end in zip(foot, top, strict=True)]
    middle = [float(start + end) / 2 for start, end in zip(foot, top, strict=True)]
    along = unit(half)
    # Any two perpendicular directions will do; start from the axis least along the bar.
    least = min(range(3), key=lambda axis: abs(along[axis]))
    across = unit(cross(along, [float(axis == least) for axis in range(3)]))
    other = cross(across, along)
    axes = [[across[i] * radius, half[i], other[i] * radius] for i in range(3)]
    return Solid(Shape.round, np.array(middle), np.array(axes), material, taper)


def unit(vector: Sequence[float] | Floats) -> list[float]:
    """A vector [3], made one unit long."""
    x, y, z = map(float, vector)
    length = math.sqrt(x * x + y * y + z * z)
    return [x / length, y / length, z / length]


def cross(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """The cross product of two vectors [3]."""
    return [a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)]


def tube(
    at: tuple[float, float], y: Span, radius: float, material: Material, taper: float = 1.0
) -> Solid:
    """An upright tapered cylinder around (x, z) = `at`; `radius` is at its lower end."""
    return rod((at[0], y[0], at[1]), (at[0], y[1], at[1]), radius, material, taper)


ACROSS = ((1, 2), (2, 0), (0, 1))
"""The axes that a turn around each world axis (0 = x, 1 = y, 2 = z) moves: from, towards."""


def turned(solid: Solid, axis: int, angle: float) -> Solid:
    """The solid, rotated by `angle` radians around its own centre and a world axis."""
    (i, j), across, up = ACROSS[axis], cosine(angle), sine(angle)
    rows: list[list[float]] = solid.axes.tolist()
    first, second = rows[i], rows[j]
    rows[i] = [across * a - up * b for a, b in zip(first, second, strict=True)]
    rows[j] = [up * a + across * b for a, b in zip(first, second, strict=True)]
    return Solid(
        solid.shape, solid.centre, np.array(rows), solid.material, solid.taper, solid.bevel,
        solid.piece,
    )  # fmt: skip


def placed(solids: Iterable[Solid], yaw: float, at: Point, piece: int = 0) -> list[Solid]:
    """A piece of furniture, turned by `yaw` radians around the vertical and moved to `at`."""
    solids, (i, j), across, up = list(solids), ACROSS[1], cosine(yaw), sine(yaw)
    # The centre beside the axes: [n, 3, 4].
    rows = np.concatenate(
        [np.array([s.axes for s in solids]), np.array([s.centre for s in solids])[..., None]],
        axis=2,
    )
    first, second = rows[:, i].copy(), rows[:, j].copy()
    rows[:, i], rows[:, j] = across * first - up * second, up * first + across * second
    rows[:, :, 3] += at
    return [
        Solid(s.shape, row[:, 3], row[:, :3], s.material, s.taper, s.bevel, piece)
        for s, row in zip(solids, rows, strict=True)
    ]


def bounds(solids: Iterable[Solid]) -> tuple[Floats, Floats]:
    """(lowest, highest) coordinates [3] of the box around all solids, round ones by their boxes."""
    solids = list(solids)
    centre = np.array([s.centre for s in solids])
    x, y, z = np.abs(np.array([s.axes for s in solids])).transpose(2, 0, 1)
    half = x + y + z
    return (centre - half).min(axis=0), (centre + half).max(axis=0)
