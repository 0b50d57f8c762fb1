"""Ambient occlusion: points in corners, below and between solids are darker."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32
from depthmask.kernels.compiled import Floats
from depthmask.stages.source._rooms.angles import cosine, sine

# Four directions around the normal and one along it, roughly weighted by the cosine.
TILT, LEAN = 0.66, 0.75


def directions(normal: Float32, turn: NDArray[np.intp] | int) -> Float32:
    """Directions float32 [3, 5, n] of about unit length, in the hemisphere of normals [3, n].

    turn: 0..9, [n] or one number: which of `TURNS` rotates four of them around the normal.
    """
    helper = np.where(np.abs(normal[1]) > 0.9, 0.0, 1.0).astype(np.float32)
    # normal x (0, helper, 1 - helper): perpendicular to any normal.
    rest = 1 - helper
    side = np.stack([normal[1] * rest - normal[2] * helper, -normal[0] * rest, normal[0] * helper])
    side = side / np.sqrt(side[0] * side[0] + side[1] * side[1] + side[2] * side[2])
    other = np.stack([normal[i - 2] * side[i - 1] - normal[i - 1] * side[i - 2] for i in range(3)])
    a, b = TURNS[:, turn]
    spokes = (side * a + other * b, other * a - side * b)
    around = [normal * np.float32(TILT) + sign * spoke for spoke in spokes for sign in (1, -1)]
    return np.stack([normal, *around], axis=1)


TURNS = np.array(
    [[LEAN * wave(angle) for angle in (*(k * math.pi / 18 for k in range(9)), 0.3)]
     for wave in (cosine, sine)], np.float32,
)  # fmt: skip
"""Nine angles over an eighth of a turn, and one between: LEAN times cosine, and times sine."""


def rays(
    position: Float32, normal: Float32, reach: float, turn: NDArray[np.intp] | int
) -> tuple[Float32, Float32]:
    """(starts [3, n], targets [3, 5, n]) of rays that are open within `reach` metres or not."""
    starts = position + np.float32(0.008) * normal
    return starts, starts[:, None, :] + np.float32(reach) * directions(normal, turn)


def openness(targets: Float32, closed: NDArray[np.bool_], low: Floats, high: Floats) -> Float32:
    """The share float32 [n] of the rays to targets [3, m, n] that are open.

    closed: bool [m, n], by solids. The walls of the room (low, high: [3]) close a ray by less than
    half, since they reflect light.
    """
    walls = low.astype(np.float32)[:, None, None], high.astype(np.float32)[:, None, None]
    outside = ((targets < walls[0]) | (targets > walls[1])).any(axis=0)
    shut = np.where(closed, np.float32(0.9), np.where(outside, np.float32(0.4), np.float32(0)))
    total = np.zeros(shut.shape[1], np.float32)
    for one in shut:
        total += one
    return np.asarray(1 - total / np.float32(len(shut)))
