"""Boxes, tapered cylinders and ellipsoids, of which scenes are built.

Each is a unit body (the box -1..1, the cylinder of radius 1 between y = -1 and 1, the ball)
under an affine map, so that a ray hits it at the same parameter in the unit frame as in the world.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.material import Material

Floats: TypeAlias = NDArray[np.floating[Any]]
Span: TypeAlias = tuple[float, float]
"""(low, high) in metres."""
Point: TypeAlias = tuple[float, float, float]


class Shape(Enum):
    """The unit body."""

    box = "box"
    round = "round"
    ball = "ball"


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

    @property
    def inverse(self) -> Floats:
        """float64 [3, 3]: from the world to the unit frame."""
        axes = self.axes
        return np.asarray((axes / (axes * axes).sum(axis=0)).T)


def box(x: Span, y: Span, z: Span, material: Material, bevel: float = 0.012) -> Solid:
    """An upright box between the given coordinates."""
    low, high = np.array([x[0], y[0], z[0]]), np.array([x[1], y[1], z[1]])
    return Solid(Shape.box, (low + high) / 2, np.diag((high - low) / 2), material, bevel=bevel)


def ball(centre: Point, radii: Point, material: Material) -> Solid:
    """An ellipsoid along the world's axes."""
    return Solid(Shape.ball, np.array(centre), np.diag(radii), material)


def rod(foot: Point, top: Point, radius: float, material: Material, taper: float = 1.0) -> Solid:
    """A round bar from `foot` to `top`; `radius` is at the foot."""
    start, end = np.array(foot, dtype=float), np.array(top, dtype=float)
    half = (end - start) / 2
    along = half / math.sqrt(float(half @ half))
    # Any two perpendicular directions will do; start from the axis least along the bar.
    helper = np.eye(3)[int(np.argmin(np.abs(along)))]
    across = np.cross(along, helper)
    across = across / math.sqrt(float(across @ across))
    axes = np.column_stack([across * radius, half, np.cross(across, along) * radius])
    return Solid(Shape.round, (start + end) / 2, axes, material, taper)


def tube(
    at: tuple[float, float], y: Span, radius: float, material: Material, taper: float = 1.0
) -> Solid:
    """An upright tapered cylinder around (x, z) = `at`; `radius` is at its lower end."""
    return rod((at[0], y[0], at[1]), (at[0], y[1], at[1]), radius, material, taper)


def rotation(axis: int, angle: float) -> Floats:
    """The rotation by `angle` radians around a world axis (0 = x, 1 = y, 2 = z)."""
    i, j = ((1, 2), (2, 0), (0, 1))[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = math.cos(angle)
    matrix[i, j], matrix[j, i] = -math.sin(angle), math.sin(angle)
    return matrix


def turned(solid: Solid, axis: int, angle: float, about: Point | None = None) -> Solid:
    """The solid, rotated around its own centre or around a point."""
    turn = rotation(axis, angle)
    pivot = solid.centre if about is None else np.array(about)
    centre = turn @ (solid.centre - pivot) + pivot
    return replace(solid, centre=centre, axes=turn @ solid.axes)


def placed(solids: Iterable[Solid], yaw: float, at: Point, piece: int = 0) -> list[Solid]:
    """A piece of furniture, turned by `yaw` radians around the vertical and moved to `at`."""
    turn, move = rotation(1, yaw), np.array(at)
    return [
        replace(s, centre=turn @ s.centre + move, axes=turn @ s.axes, piece=piece) for s in solids
    ]


def bounds(solids: Iterable[Solid]) -> tuple[Floats, Floats]:
    """(lowest, highest) coordinates [3] of the box around all solids, round ones by their boxes."""
    reach = [(s.centre, np.abs(s.axes).sum(axis=1)) for s in solids]
    low = np.min([centre - half for centre, half in reach], axis=0)
    high = np.max([centre + half for centre, half in reach], axis=0)
    return low, high
