"""Light that is computed at few points and then looked up: on the room's faces, and by pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.lights import Lights, ambient, from_lamp, from_panel, shadowed
from depthmask.stages.source._rooms.occlusion import openness
from depthmask.stages.source._rooms.raycast import FACES, blocked
from depthmask.stages.source._rooms.solids import Floats, Solid
from depthmask.stages.source._rooms.surface import Points

CELLS = ((18, 14), (18, 14), (32, 32), (12, 12), (14, 14), (18, 14))
"""Light samples along u and v on each face of the room; the floor needs the finest shadows."""
FINER = 6
"""Entries of the table for each light sample, along each axis."""
AXES = ((2, 1), (0, 2), (0, 1))
"""World axes of u and v on the faces across x, y and z."""
REACH_M = 1.0
"""Distance within which solids occlude ambient light."""
SMALLEST_M3 = 0.006
"""Least volume of a solid that casts soft shadows on the room."""


@dataclass(frozen=True, slots=True, eq=False)
class Baked:
    """Light on one face of the room.

    values: float32 [3, cells], in rows of (v, u). across, along: cells along u and v.
    """

    values: Floats
    across: int
    along: int


def baked_room(high: Floats, lights: Lights, solids: Sequence[Solid]) -> list[Baked]:
    """Soft light and shadows on the six faces of a room between (0, 0, 0) and `high` [3]."""
    # Shadows of solids that are smaller than a light sample would flicker, and those of pictures
    # (piece 0) would smear.
    casting = [s for s in solids if s.piece > 0 and _volume(s) > SMALLEST_M3]
    faces = [_face_points(face, high) for face in range(FACES)]
    position = np.concatenate([p for p, _ in faces], axis=1)
    normal = np.concatenate([n for _, n in faces], axis=1)
    light = shadowed(position, normal, lights, casting, (3, 2))
    open_share = openness(position, normal, casting, REACH_M, np.zeros(3), high)
    light += ambient(normal, lights) * (open_share * open_share)
    light += 0.15 * ambient(normal, lights) * open_share
    ends = np.cumsum([p.shape[1] for p, _ in faces])[:-1]
    return [
        _finer(values, *CELLS[face]) for face, values in enumerate(np.split(light, ends, axis=1))
    ]


def _volume(solid: Solid) -> float:
    """The volume of the solid's box in cubic metres."""
    return 8 * math.sqrt(float((solid.axes**2).sum(axis=0).prod()))


def _face_points(face: int, high: Floats) -> tuple[Floats, Floats]:
    """(position, normal), each [3, cells], of the light samples on a face of the room."""
    columns, rows = CELLS[face]
    axis, (across, along) = face // 2, AXES[face // 2]
    u, v = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    position = np.zeros((3, u.size), dtype=np.float32)
    position[across], position[along] = u.ravel() * high[across], v.ravel() * high[along]
    position[axis] = high[axis] * (face % 2)
    normal = np.zeros_like(position)
    normal[axis] = 1 - 2 * (face % 2)
    return position, normal


def _finer(light: Floats, columns: int, rows: int) -> Baked:
    """The samples, interpolated to a table fine enough for lookups of the nearest entry."""
    grid = light.reshape(3, rows, columns)
    for axis in (1, 2):
        count = grid.shape[axis]
        place = np.clip((np.arange(count * FINER) + 0.5) / FINER - 0.5, 0, count - 1)
        low = np.minimum(place.astype(int), count - 2)
        fraction = (place - low).astype(np.float32)
        fraction = fraction[:, None] if axis == 1 else fraction
        first = np.take(grid, low, axis)
        grid = first + (np.take(grid, low + 1, axis) - first) * fraction
    return Baked(grid.reshape(3, -1), columns * FINER, rows * FINER)


def looked_up(baked: Baked, u: Floats, v: Floats, width: float, height: float) -> Floats:
    """Light [3, n] at u, v [n] metres on a face of the given width and height."""
    column = np.clip(u * (baked.across / width), 0, baked.across - 1).astype(np.int32)
    row = np.clip(v * (baked.along / height), 0, baked.along - 1).astype(np.int32)
    return np.asarray(np.take(baked.values, row * baked.across + column, axis=1))


def own_shadows(
    points: Points, cell: Any, solids: Sequence[Solid], lights: Lights, low: Floats, high: Floats
) -> tuple[Floats, Floats]:
    """The shadows of pieces of furniture on themselves: (open share, direct share), each [n].

    Each piece is tested against its own solids only; points of other surfaces have 1. cell: the
    number 0..8 of each point's pixel in its block of 3 x 3. Each cell samples other directions, and
    `smoothed` averages them.
    """
    ambient_share, direct_share = (np.ones(points.surface.size, dtype=np.float32) for _ in range(2))
    piece = np.array([0] * FACES + [s.piece for s in solids])[points.surface]
    for number in sorted({s.piece for s in solids} - {0}):
        (at,) = np.nonzero(piece == number)
        if at.size == 0:
            continue
        own = [s for s in solids if s.piece == number]
        position, normal = points.position[:, at], points.normal[:, at]
        ambient_share[at] = openness(
            position, normal, own, 0.6, low, high, turn=cell[at] * (np.pi / 18)
        )
        direct_share[at] = _direct_share(position, normal, cell[at], own, lights)
    return ambient_share, direct_share


def _direct_share(
    position: Floats, normal: Floats, cell: Any, solids: Sequence[Solid], lights: Lights
) -> Floats:
    """The share [n] of the panels' and lamps' light that solids let through, by one ray to each."""
    starts = position + np.float32(0.008) * normal
    total = np.full(cell.shape, 1e-4, dtype=np.float32)
    kept = total.copy()
    across, along = (cell % 3 - 1) * np.float32(0.66), (cell // 3 - 1) * np.float32(0.66)
    goals = []
    for panel in lights.panels:
        side, up = (half.astype(np.float32)[:, None] for half in (panel.side, panel.up))
        target = panel.centre.astype(np.float32)[:, None] + side * across + up * along
        goals.append((target, from_panel(panel, position, normal, target) * panel.colour[1]))
    for lamp in lights.lamps:
        target = lamp.position.astype(np.float32)[:, None]
        goals.append((target, from_lamp(lamp, position, normal) * lamp.colour[1]))
    for target, light in goals:
        clear = ~blocked(starts, target[:, None, :], solids)[0]
        total += light
        kept += light * clear
    return kept / total


def smoothed(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """The means of the known values [h, w] over 3 x 3 pixels; 1 where none is known."""
    total, weight = np.zeros_like(values), np.zeros_like(values)
    padded, mask = np.pad(values * known, 1), np.pad(known.astype(values.dtype), 1)
    height, width = values.shape
    for dy in range(3):
        for dx in range(3):
            total += padded[dy : dy + height, dx : dx + width]
            weight += mask[dy : dy + height, dx : dx + width]
    return np.where(weight > 0, total / np.maximum(weight, 1), 1)
