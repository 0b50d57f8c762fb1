"""Light that is computed at few points and then looked up: on the room's faces, and by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32
from depthmask.kernels.compiled import Floats
from depthmask.kernels.rays import FACES, Bodies, SurfacePoints, blocked
from depthmask.stages.source._rooms.lights import Lights, ambient, own_goals, shadowed
from depthmask.stages.source._rooms.occlusion import openness, rays

CELLS = ((18, 14), (18, 14), (32, 32), (12, 12), (14, 14), (18, 14))
"""Light samples along u and v on each face of the room; the floor needs the finest shadows."""
FINER = 6
"""Entries of the table for each light sample, along each axis."""
AXES = ((2, 1), (0, 2), (0, 1))
"""World axes of u and v on the faces across x, y and z."""
REACH_M = 1.0
"""Distance within which solids occlude ambient light."""
OWN_REACH_M = 0.6
"""As REACH_M, for a piece of furniture on itself."""
SMALLEST_M3 = 0.006
"""Least volume of a solid that casts soft shadows on the room."""


@dataclass(frozen=True, slots=True, eq=False)
class Baked:
    """Light on one face of the room.

    values: float32 [3, cells], in rows of (v, u). across, along: cells along u and v.
    """

    values: Float32
    across: int
    along: int


def baked_room(
    high: Floats, lights: Lights, solids: Bodies, pieces: NDArray[np.intp]
) -> list[Baked]:
    """Soft light and shadows on the six faces of a room between (0, 0, 0) and `high` [3]."""
    # Shadows of solids that are smaller than a light sample would flicker, and those of pictures
    # (piece 0) would smear.
    half = solids.half
    casting = solids[(pieces > 0) & (8 * half[:, 0] * half[:, 1] * half[:, 2] > SMALLEST_M3)]
    places, normal = _samples()
    position = (places * high[:, None]).astype(np.float32)
    light = shadowed(position, normal, lights, casting, (3, 2))
    starts, targets = rays(position, normal, REACH_M, -1)
    open_share = openness(targets, blocked(starts, targets, casting), np.zeros(3), high)
    light += ambient(normal, lights) * (open_share * open_share)
    light += 0.15 * ambient(normal, lights) * open_share
    ends = np.cumsum([columns * rows for columns, rows in CELLS])[:-1]
    return [
        _finer(values, *CELLS[face]) for face, values in enumerate(np.split(light, ends, axis=1))
    ]


@cache
def _samples() -> tuple[NDArray[np.float64], Float32]:
    """The light samples on the faces of a room of size 1: (position, normal), each [3, cells]."""
    positions, normals = [], []
    for face, (columns, rows) in enumerate(CELLS):
        axis, (across, along) = face // 2, AXES[face // 2]
        u, v = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
        position, normal = np.zeros((3, u.size)), np.zeros((3, u.size), np.float32)
        position[across], position[along], position[axis] = u.ravel(), v.ravel(), face % 2
        normal[axis] = 1 - 2 * (face % 2)
        positions.append(position)
        normals.append(normal)
    return np.concatenate(positions, axis=1), np.concatenate(normals, axis=1)


def _finer(light: Float32, columns: int, rows: int) -> Baked:
    """The samples, interpolated to a table fine enough for lookups of the nearest entry."""
    grid = _with_between(light.reshape(3, rows, columns), 1)
    grid = _with_between(grid, 2)
    return Baked(grid.reshape(3, -1), columns * FINER, rows * FINER)


def _with_between(grid: Float32, axis: int) -> Float32:
    """The grid [3, h, w], `FINER` times as fine along an axis."""
    low, fraction = _between(grid.shape[axis])
    # In place, since the grids are large.
    first, step = grid.take(low, axis), grid.take(low + 1, axis)
    step -= first
    step *= fraction if axis == 2 else fraction[:, None]
    first += step
    return first


@cache
def _between(count: int) -> tuple[NDArray[np.intp], Float32]:
    """For each entry of a finer table: the sample before it, and its way to the next, 0..1."""
    place = np.clip((np.arange(count * FINER) + 0.5) / FINER - 0.5, 0, count - 1)
    low = np.minimum(place.astype(int), count - 2)
    return low, (place - low).astype(np.float32)


def own_shadows(
    points: SurfacePoints,
    cell: NDArray[np.intp],
    solids: Bodies,
    pieces: NDArray[np.intp],
    lights: Lights,
    walls: tuple[Floats, Floats],
) -> tuple[Float32, Float32]:
    """The shadows of pieces of furniture on themselves: (open share, direct share), each [n].

    Each piece is tested against its own solids only; points of other surfaces have 1. cell: the
    number 0..8 of each point's pixel in its block of 3 x 3. Each cell samples other directions, and
    `smoothed` averages them. walls: the lowest and the highest coordinates of the room.
    """
    ambient_share, direct_share = (np.ones(points.surface.size, dtype=np.float32) for _ in range(2))
    piece = np.concatenate([np.zeros(FACES, np.intp), pieces])[points.surface]
    (at,) = np.nonzero(piece)
    own = _Own(solids, pieces, piece[at])
    position, normal = points.position[:, at], points.normal[:, at]
    starts, targets = rays(position, normal, OWN_REACH_M, cell[at])
    ambient_share[at] = openness(targets, own.blocked(starts, targets), *walls)
    direct_share[at] = _direct_share(position, normal, cell[at], own, lights)
    return ambient_share, direct_share


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """Points of furniture, and the solids of their own pieces.

    pieces: [solids], and piece: [n], the numbers of the pieces that they belong to.
    """

    solids: Bodies
    pieces: NDArray[np.intp]
    piece: NDArray[np.intp]

    def blocked(self, starts: Float32, targets: Float32) -> NDArray[np.bool_]:
        """Whether the point's own piece lies between starts [3, n] and targets [3, m, n]."""
        shadow = np.zeros(targets.shape[1:], dtype=bool)
        for number in np.unique(self.piece):
            (at,) = np.nonzero(self.piece == number)
            own = self.solids[self.pieces == number]
            shadow[:, at] = blocked(starts[:, at], targets[:, :, at], own)
        return shadow


def _direct_share(
    position: Float32, normal: Float32, cell: NDArray[np.intp], own: _Own, lights: Lights
) -> Float32:
    """The share [n] of the panels' and lamps' light that solids let through, by one ray to each."""
    across, along = (
        (place - 1).astype(np.float32) * np.float32(0.66) for place in (cell % 3, cell // 3)
    )
    of = own_goals(lights, across, along)
    light = of.colours[:, 1:2] * of.shares(position, normal)
    clear = ~own.blocked(position + np.float32(0.008) * normal, of.targets)
    total = np.full(cell.shape, 1e-4, dtype=np.float32)
    kept = total.copy()
    for one, is_clear in zip(light, clear, strict=True):
        total += one
        kept += one * is_clear
    return np.asarray(kept / total)


def smoothed(values: Float32, known: NDArray[np.bool_]) -> Float32:
    """The means of the known values [h, w] over 3 x 3 pixels; 1 where none is known."""
    total, weight = _around(values * known), _around(known.astype(np.float32))
    return np.where(weight > 0, total / np.maximum(weight, 1), np.float32(1))


def _around(values: Float32) -> Float32:
    """The sums [h, w] over 3 x 3 pixels."""
    down = np.copy(values)
    down[1:] += values[:-1]
    down[:-1] += values[1:]
    across = np.copy(down)
    across[:, 1:] += down[:, :-1]
    across[:, :-1] += down[:, 1:]
    return across
