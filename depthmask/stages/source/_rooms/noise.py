"""Noise from tables: fast, and the same on every machine."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.solids import Floats

SIDE = 512
OCTAVES = (8, 16, 32, 64, 128)


@functools.cache
def _field() -> NDArray[np.float32]:
    """Fractal noise float32 [SIDE * SIDE], tileable, of mean 0 and deviation 1."""
    rng = np.random.Generator(np.random.Philox(2024))
    total = np.zeros((SIDE, SIDE))
    for cells in OCTAVES:
        values: Floats = rng.random((cells, cells)) - 0.5
        for axis in (0, 1):
            values = _stretch(values, axis)
        total += values * (OCTAVES[0] / cells) ** 0.7
    total -= total.mean()
    return np.asarray((total / total.std()).astype(np.float32).ravel())


def _stretch(values: Floats, axis: int) -> Floats:
    """Interpolate a tileable array smoothly to SIDE entries along an axis."""
    cells = values.shape[axis]
    position = np.arange(SIDE) * cells / SIDE
    low = position.astype(int)
    fraction = position - low
    weight = fraction * fraction * (3 - 2 * fraction)
    weight = weight[:, None] if axis == 0 else weight[None, :]
    first = np.take(values, low, axis)
    return np.asarray(first + (np.take(values, (low + 1) % cells, axis) - first) * weight)


@functools.cache
def _hashes() -> NDArray[np.float32]:
    """4,096 uniform numbers in 0..1."""
    return np.random.Generator(np.random.Philox(7)).random(4096).astype(np.float32)


def noise(x: Floats, y: Floats, seed: Any = 0) -> Floats:
    """Fractal noise at (x, y); its coarsest bumps are 1/8 wide, and it repeats after 1."""
    column = (x * SIDE).astype(np.int32) + seed * 37
    row = (y * SIDE).astype(np.int32) + seed * 91
    return np.asarray(_field()[(row & (SIDE - 1)) * SIDE + (column & (SIDE - 1))])


def chance(i: Any, j: Any, seed: Any = 0) -> Floats:
    """A uniform number in 0..1 for each pair (i, j) of int32 cell numbers."""
    return np.asarray(_hashes()[(i * 1619 + j * 3163 + seed * 131) & 4095])
