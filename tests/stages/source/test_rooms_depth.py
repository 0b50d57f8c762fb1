"""Depth of the rooms against a second way of working it out.

raycast.py moves rays into the frame of each solid. Here all stays in the world: planes are solved
with bounds, and curved sides by fitting the quadratic that the surface's equation is along a ray.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthmask.stages.source._rooms.material import solid_colour
from depthmask.stages.source._rooms.photo import Photo, camera
from depthmask.stages.source._rooms.room import Room
from depthmask.stages.source._rooms.scene import Optics, scene
from depthmask.stages.source._rooms.solids import Shape, Solid, ball, box, placed, rod, tube

Values = NDArray[np.floating[Any]]
INSIDE = 1 + 1e-9


def rays(room: Room, size: tuple[int, int]) -> Values:
    """World directions [n, 3] of unit planar z, from the camera's intrinsics and angles."""
    lens = camera(room, size)
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    right, down = (x - lens.cx) / lens.f_px, (y - lens.cy) / lens.f_px
    # Tilt around the camera's x, then turn around the vertical.
    sine, cosine = np.sin(lens.pitch), np.cos(lens.pitch)
    up, ahead = -(down * cosine + sine), cosine - down * sine
    sine, cosine = np.sin(room.view.yaw), np.cos(room.view.yaw)
    return np.stack([right * cosine + ahead * sine, up, ahead * cosine - right * sine], 2).reshape(
        -1, 3
    )


def plane_hits(eye: Values, ray: Values, point: Values, normal: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(((point - eye) @ normal) / (ray @ normal))


def along(eye: Values, ray: Values, z: Values, solid: Solid, axis: int) -> Values:
    """Coordinate of the hit along one half axis, 1 at its end."""
    with np.errstate(invalid="ignore"):
        where = eye + ray * z[:, None] - solid.centre
    half = solid.axes[:, axis]
    return np.asarray(where @ half / (half @ half))


def quadratic(equation: Any, count: int) -> list[Values]:
    """Roots z of an equation that is quadratic in z, from its values at 0, 1 and 2."""
    f0, f1, f2 = (equation(np.full(count, float(z))) for z in (0, 1, 2))
    a, b = (f2 - 2 * f1 + f0) / 2, (4 * f1 - 3 * f0 - f2) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(b * b - 4 * a * f0)
        return [(-b - root) / (2 * a), (-b + root) / (2 * a)]


def candidates(eye: Values, ray: Values, solid: Solid) -> list[Values]:
    """z of every meeting with the solid's surface, inf where there is none."""
    found = []
    capped = {Shape.box: (0, 1, 2), Shape.round: (1,), Shape.ball: ()}[solid.shape]
    for axis in capped:
        for sign in (-1, 1):
            half = solid.axes[:, axis]
            z = plane_hits(eye, ray, solid.centre + sign * half, half)
            others = [along(eye, ray, z, solid, other) for other in range(3) if other != axis]
            if solid.shape is Shape.box:
                good = (np.abs(others[0]) <= INSIDE) & (np.abs(others[1]) <= INSIDE)
            else:
                good = np.hypot(*others) <= (solid.taper if sign > 0 else 1) * INSIDE
            found.append(np.where(good, z, np.inf))
    if solid.shape is not Shape.box:
        found += curved(eye, ray, solid)
    return found


def curved(eye: Values, ray: Values, solid: Solid) -> list[Values]:
    def equation(z: Values) -> Values:
        x, y, w = (along(eye, ray, z, solid, axis) for axis in range(3))
        if solid.shape is Shape.ball:
            return np.asarray(x * x + y * y + w * w - 1)
        return np.asarray(x * x + w * w - (1 + (solid.taper - 1) * (y + 1) / 2) ** 2)

    found = []
    for z in quadratic(equation, len(ray)):
        height = np.abs(along(eye, ray, z, solid, 1))
        found.append(np.where(np.isfinite(z) & (height <= INSIDE), z, np.inf))
    return found


def reference(room: Room, size: tuple[int, int]) -> Values:
    eye, ray = room.view.eye, rays(room, size)
    found = []
    for axis in range(3):
        for end in (0.0, room.high[axis]):
            z = plane_hits(eye, ray, np.eye(3)[axis] * end, np.eye(3)[axis])
            found.append(z)
    for solid in room.solids:
        found += candidates(eye, ray, solid)
    met = np.stack(found)
    return np.asarray(np.where(met > 0, met, np.inf).min(axis=0).reshape(size))


@pytest.mark.parametrize("size", [(36, 48), (50, 30)])
@pytest.mark.parametrize("number", range(6))
def test_depth_is_exact(number: int, size: tuple[int, int]) -> None:
    room = scene(3, number, Optics((58, 74), (1.3, 1.6)))
    depth = Photo(room, size).depth()
    assert np.abs(depth - reference(room, size)).max() < 1e-4


def test_depth_is_exact_for_leaning_and_tapered_solids() -> None:
    paint = solid_colour("808080")
    base = scene(0, 5, Optics((70, 70), (1.4, 1.4)))
    things = [
        rod((-0.3, 0, 0), (0.3, 1.2, 0.4), 0.12, paint, 0.3),
        tube((0.6, 0), (0.0, 0.15), 0.5, paint, 0.05),
        tube((-0.7, 0.2), (0.2, 0.5), 0.1, paint, 2.5),
        ball((0, 1.5, 0), (0.3, 0.1, 0.2), paint),
        box((-1.2, -1.0), (0, 1), (-0.4, 0.4), paint),
    ]
    at = (float(base.high[0]) / 2, 0.0, float(base.view.eye[2]) + 2.2)
    room = Room(
        base.high, base.view, base.reach, base.faces, tuple(placed(things, 0.7, at)),
        base.windows, base.rugs, base.lights, base.outdoors,
    )  # fmt: skip
    photo = Photo(room, (60, 80))
    assert set(range(6, 11)) <= set(photo.hits.surface.ravel().tolist())
    assert np.abs(photo.depth() - reference(room, (60, 80))).max() < 1e-4
