"""The points where rays hit surfaces: position, normal and pattern coordinates, as flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.material import Pattern
from depthmask.stages.source._rooms.raycast import FACES, NOTHING, Hits
from depthmask.stages.source._rooms.solids import Floats, Shape, Solid
from depthmask.stages.source._rooms.texture import NORMALISED
from depthmask.stages.source._rooms.view import Grid, View


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """n points on surfaces, in the order of the image.

    surface: int16 [n]. position, normal: float32 [3, n]. u, v: float32 [n], metres over the face.
    ray: float32 [3, n], from the eye, not normalised.
    """

    surface: NDArray[np.int16]
    position: Floats
    normal: Floats
    u: Floats
    v: Floats
    ray: Floats


def points(view: View, grid: Grid, hits: Hits, solids: Sequence[Solid]) -> Points:
    """The points of all rays that hit a surface."""
    rows, columns = np.nonzero(hits.surface != NOTHING)
    surface, z = hits.surface[rows, columns], hits.z[rows, columns]
    basis = view.basis.astype(z.dtype)
    ray = basis[:, :1] * grid.u[columns] + basis[:, 1:2] * grid.v[rows] + basis[:, 2:]
    position = ray * z + view.eye.astype(z.dtype)[:, None]
    normal = np.empty_like(position)
    u, v = np.empty_like(z), np.empty_like(z)
    order = np.argsort(surface, kind="stable")
    starts = np.searchsorted(surface[order], np.arange(FACES + len(solids) + 1))
    for number in range(FACES + len(solids)):
        at = order[starts[number] : starts[number + 1]]
        if at.size == 0:
            continue
        hit = position[:, at]
        if number < FACES:
            coordinates = _room_face(number, hit)
        else:
            coordinates = _solid_face(solids[number - FACES], hit)
        normal[:, at], u[at], v[at] = coordinates
    return Points(surface, position, normal, u, v, ray)


def _room_face(number: int, hit: Floats) -> tuple[Any, Floats, Floats]:
    """(normal, u, v) of points on a face of the room."""
    axis = number // 2
    inward = np.zeros((3, 1), dtype=hit.dtype)
    inward[axis] = 1 - 2 * (number % 2)
    across, up = ((2, 1), (0, 2), (0, 1))[axis]
    return inward, hit[across], hit[up]


def _solid_face(solid: Solid, hit: Floats) -> tuple[Any, Floats, Floats]:
    """(normal, u, v) of points on a solid."""
    inverse = solid.inverse.astype(hit.dtype)
    unit = inverse @ (hit - solid.centre.astype(hit.dtype)[:, None])
    half = np.sqrt((solid.axes**2).sum(axis=0)).astype(hit.dtype)
    if solid.shape is Shape.box:
        slope, u, v = _box_face(solid, unit, half)
    else:
        slope = unit.copy()
        if solid.shape is Shape.round:
            cap = np.abs(unit[1]) > 0.999
            slope[1] = np.where(cap, unit[1] * 1e4, (1 - solid.taper) / 2)
        u, v = (unit[0] + unit[2]) * half[0], unit[1] * half[1]
    normal = inverse.T @ slope
    return normal / np.sqrt((normal * normal).sum(axis=0)), u, v


def _box_face(solid: Solid, unit: Floats, half: Floats) -> tuple[Floats, Floats, Floats]:
    """(gradient in the unit frame, u, v) of points on a box."""
    size = np.abs(unit)
    face = np.argmax(size, axis=0)
    # Near an edge the normal leans towards the neighbouring face, as if the edge were rounded.
    gap = (1 - size) * half[:, None]
    lean = np.clip(1 - gap / np.minimum(solid.bevel, half[:, None]), 0, 1)
    lean = 0.8 * lean * lean
    np.put_along_axis(lean, face[None], 1.0, axis=0)
    # Scaled by `half`, so that the inverse transpose gives back the lean in world lengths.
    slope = np.sign(unit) * lean * half[:, None]
    x, y, z = unit if solid.material.pattern in NORMALISED else unit * half[:, None]
    u = np.where(face == 0, z, x)
    v = np.where(face == 1, z, y)
    if solid.material.pattern is Pattern.wood and half[0] > max(half[1], half[2] * 0.9):
        # The grain of a board runs along it.
        u, v = v, u
    return slope, u, v
