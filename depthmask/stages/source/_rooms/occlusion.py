"""Ambient occlusion: points in corners, below and between solids are darker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from depthmask.stages.source._rooms.raycast import blocked
from depthmask.stages.source._rooms.solids import Floats, Solid

# Four directions around the normal and one along it, roughly weighted by the cosine.
TILT, LEAN = 0.66, 0.75


def directions(normal: Floats, turn: Any) -> Floats:
    """Directions float32 [3, 5, n] of about unit length, in the hemisphere of normals [3, n].

    turn: radians, [n] or one number, by which four of them are rotated around the normal.
    """
    helper = np.where(np.abs(normal[1]) > 0.9, 0.0, 1.0).astype(normal.dtype)
    # normal x (0, helper, 1 - helper): perpendicular to any normal.
    rest = 1 - helper
    side = np.stack([normal[1] * rest - normal[2] * helper, -normal[0] * rest, normal[0] * helper])
    side = side / np.sqrt((side * side).sum(axis=0))
    other = np.cross(normal, side, axis=0)
    a, b = (np.float32(LEAN) * wave(turn, dtype=np.float32) for wave in (np.cos, np.sin))
    spokes = (side * a + other * b, other * a - side * b)
    around = [normal * np.float32(TILT) + sign * spoke for spoke in spokes for sign in (1, -1)]
    return np.stack([normal, *around], axis=1)


def openness(
    position: Floats,
    normal: Floats,
    solids: Sequence[Solid],
    reach: float,
    low: Floats,
    high: Floats,
    turn: Any = 0.3,
) -> Floats:
    """The share float32 [n] of directions that are open within `reach` metres.

    Solids close a direction; the walls of the room (low, high: [3]) close it by less than half,
    since they reflect light.
    """
    starts = position + np.float32(0.008) * normal
    targets = starts[:, None, :] + np.float32(reach) * directions(normal, turn)
    closed = blocked(starts, targets, solids)
    walls = low.astype(np.float32)[:, None, None], high.astype(np.float32)[:, None, None]
    outside = ((targets < walls[0]) | (targets > walls[1])).any(axis=0)
    shut = np.maximum(closed * np.float32(0.9), outside * np.float32(0.4))
    return np.asarray(1 - shut.mean(axis=0, dtype=np.float32))
