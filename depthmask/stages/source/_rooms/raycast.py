"""The first surface that each ray of an image hits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthmask.kernels.compiled import Floats
from depthmask.kernels.rays import FACES, cast_rays
from depthmask.stages.source._rooms.view import Grid, Seen


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The first hit of each ray.

    z: [h, w], planar z in metres, inf without a hit. surface: int16 [h, w], its number.
    """

    z: Floats
    surface: NDArray[np.int16]


def nearest(grid: Grid, shell: NDArray[np.float64] | None, seen: Seen) -> Hits:
    """The first surface that each ray hits, in the precision of the grid's arrays.

    shell: the frame of a box seen from inside, or None if rays may hit nothing.
    """
    windows = _windows(seen.reach, grid)
    may_hit = (windows[:, 0] < windows[:, 1]) & (windows[:, 2] < windows[:, 3]) & seen.is_ahead
    (at,) = np.nonzero(may_hit)
    surfaces = (FACES + at).astype(np.int16)
    return Hits(*cast_rays(grid.u, grid.v, seen.frames[at], windows[at], surfaces, shell))


def _windows(reach: Floats, grid: Grid) -> NDArray[np.int32]:
    """The rows and columns [n, 4] of the grid whose rays may hit bodies of these extents."""
    # One ray of margin: the grid may be float32.
    sides = []
    for axis, ends in ((grid.v, reach[:, 2:]), (grid.u, reach[:, :2])):
        places = np.searchsorted(axis, ends)
        sides += [np.maximum(places[:, 0] - 1, 0), np.minimum(places[:, 1] + 1, axis.size)]
    return np.stack(sides, axis=1).astype(np.int32)
