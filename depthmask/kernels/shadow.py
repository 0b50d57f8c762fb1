"""Darkening a floor by a soft shadow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32, Rows, UInt8
from depthmask.kernels.compiled import dense_rows, native

_STEPS = 1024
"""Steps of the fall-off for each unit of its exponent; one is a quarter of a level at most."""
_FAINTEST = 6.25
"""From this exponent on, even black would change by less than half a level."""
FARTHEST = math.sqrt(_FAINTEST / 2)
"""Where the shade ends, in half axes of the ellipse."""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """A shadow on a floor, in the coordinates of the camera, metres.

    foot: its point at the foot of the object. normal, foot_m, offset_m, off_m: of the floor; a
    pixel at p from the foot lies `(p @ normal + foot_m) / offset_m - 1` off it, and is shaded less
    from half of `off_m` on. beside, half_m, forward, deep_m: the directions of the axes of the
    ellipse, and their lengths.
    """

    foot: tuple[float, float, float]
    normal: tuple[float, float, float]
    foot_m: float
    offset_m: float
    off_m: float
    beside: tuple[float, float, float]
    half_m: float
    forward: tuple[float, float, float]
    deep_m: float


@cache
def _falloff() -> NDArray[np.float64]:
    """exp(-x) in whole 2**-20, at the middle of each step, which is the same on all machines."""
    steps = (np.arange(int(_FAINTEST * _STEPS)) + 0.5) / _STEPS
    return np.rint(np.exp(-steps) * (1 << 20)) / (1 << 20)


def darken(
    canvas: UInt8,
    depth_m: Float32,
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    ellipse: Ellipse,
    strength: float,
) -> Rows:
    """Darken a window of a canvas by `1 - strength * shade`, in place; returns the rows it changed.

    canvas: uint8 [h, w, 3]. depth_m: float32 [h, w], 0 is invalid and gets no shadow. columns,
    rows: x / z and y / z of the pixels. shade: 0..1, exp(-2 * r**2) in the ellipse, whose middle
    lies half its depth behind the foot.
    """
    if native is None:
        return _darken(canvas, depth_m, columns, rows, ellipse, strength)
    first, stop = native.darken(
        canvas, dense_rows(depth_m), columns, rows, _numbers(ellipse), _falloff(), strength
    )
    return first, stop


def _numbers(ellipse: Ellipse) -> NDArray[np.float64]:
    """As the compiled loop takes them: reciprocals, since a division takes four times as long."""
    one = ellipse
    return np.array(
        [
            *(*one.foot, *one.normal, one.foot_m, 1 / one.offset_m, 2 / one.off_m),
            *(*one.beside, 1 / one.half_m, *one.forward, 1 / one.deep_m, 2.0 * _STEPS),
        ]
    )


def _darken(
    canvas: UInt8,
    depth_m: Float32,
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    ellipse: Ellipse,
    strength: float,
) -> Rows:
    of, z = _numbers(ellipse), depth_m.astype(np.float64)
    x, y, behind = columns * z - of[0], rows[:, None] * z - of[1], z - of[2]
    across = (x * of[9] + y * of[10] + behind * of[11]) * of[12]
    along = (x * of[13] + y * of[14] + behind * of[15]) * of[16] - 0.5
    place = (across * across + along * along) * of[17]
    below = (x * of[3] + y * of[4] + behind * of[5] + of[6]) * of[7] - 1.0
    on_floor = np.minimum(2.0 - np.abs(below) * of[8], 1.0)
    table = _falloff()
    is_shaded = (z > 0) & (on_floor > 0) & (place < len(table))
    shade = on_floor[is_shaded] * table[place[is_shaded].astype(np.int32)]
    kept = 1.0 - strength * shade
    before = canvas[is_shaded]
    after = (before * kept[:, None] + 0.5).astype(np.uint8)
    canvas[is_shaded] = after
    changed = np.nonzero(is_shaded)[0][(after != before).any(axis=1)]
    return (int(changed[0]), int(changed[-1]) + 1) if len(changed) else (0, 0)
