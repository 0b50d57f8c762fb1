"""The view through the windows: infinitely far away and slightly overexposed."""

from __future__ import annotations

import numpy as np

from depthmask.stages.source._rooms.noise import chance, noise
from depthmask.stages.source._rooms.solids import Floats

ZENITH = (1.5, 2.1, 3.1)
HORIZON = (3.6, 3.7, 3.7)
TREES = (0.75, 0.95, 0.6)
LAWN = (1.1, 1.25, 0.75)
HOUSES = (2.1, 1.95, 1.75)


def outdoors(ray: Floats, seed: int) -> Floats:
    """Light float32 [3, n] along rays [3, n]: sky, then trees or houses, then grass."""
    away = np.sqrt(ray[0] * ray[0] + ray[2] * ray[2]) + np.float32(1e-6)
    rise = ray[1] / away
    # A bearing without trigonometry, monotonic over the half of the horizon in view.
    bearing = np.where(
        ray[2] > np.abs(ray[0]), ray[0] / away, np.sign(ray[0]) * (2 - ray[2] / away)
    )
    high = np.clip(rise * 1.6, 0, 1)
    colour = _column(HORIZON) + (_column(ZENITH) - _column(HORIZON)) * high
    cloud = np.clip(noise(bearing * 0.35, rise * 0.9, seed) * 0.5, 0, 1)
    colour += (3.8 - colour) * cloud * 0.7
    if seed % 2:
        block = np.floor(bearing * 9).astype(np.int32)
        top = 0.02 + 0.26 * chance(block, 3, seed)
        tint = 0.75 + 0.5 * chance(block, 5, seed)
        colour = np.where(rise < top, _column(HOUSES) * tint, colour)
        panes = (np.abs(bearing * 72 % 1 - 0.5) < 0.22) & (np.abs(rise * 30 % 1 - 0.5) < 0.25)
        colour = np.where((rise < top - 0.03) & panes, colour * 0.55, colour)
    top = -0.03 + 0.14 * _crowns(bearing * 4, seed) + 0.05 * _crowns(bearing * 23, seed + 1)
    leaf = 0.8 + 0.16 * noise(bearing * 2, rise * 2, seed)
    colour = np.where(rise < top, _column(TREES) * leaf, colour)
    return np.where(rise < -0.12, _column(LAWN) * leaf, colour)


def _crowns(place: Floats, seed: int) -> Floats:
    """Smooth bumps 0..1 [n] of width 1 along `place`."""
    low = np.floor(place)
    fraction = place - low
    cell = low.astype(np.int32)
    first = chance(cell, 9, seed)
    return first + (chance(cell + 1, 9, seed) - first) * (fraction * fraction * (3 - 2 * fraction))


def _column(colour: tuple[float, float, float]) -> Floats:
    return np.array(colour, dtype=np.float32)[:, None]
