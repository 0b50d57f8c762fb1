"""The loop that both rooms and cut-outs go through: rays, points, light, averaging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.bake import own_shadows, smoothed
from depthmask.stages.source._rooms.lights import Lights, ambient, direct, sun_clear
from depthmask.stages.source._rooms.material import Material
from depthmask.stages.source._rooms.raycast import FACES, NOTHING, Hits, Seen, nearest
from depthmask.stages.source._rooms.solids import Floats, Solid
from depthmask.stages.source._rooms.surface import Points, points
from depthmask.stages.source._rooms.texture import albedo
from depthmask.stages.source._rooms.tone import averaged
from depthmask.stages.source._rooms.view import Grid, View

BAND_RAYS = 1 << 18
"""Rays at a time, so that large pictures need no large memory."""
QUIET = 0.035
"""Difference of display values (0..1) that one sample in a pixel may hide."""
Paint: TypeAlias = Callable[[Points, NDArray[np.intp]], Floats]
"""Display values [3, n] of points, given the number of the pixel [n] that each lies in."""


@dataclass(frozen=True, slots=True, eq=False)
class Shadows:
    """Shadows for each pixel, float32 [h, w] each, 1 = none.

    openly, directly: what furniture takes from its own indirect and direct light. sun: what
    anything takes from sunlight.
    """

    openly: Floats
    directly: Floats
    sun: Floats


def pixel_shadows(
    found: Points,
    hits: Hits,
    solids: Sequence[Solid],
    lights: Lights,
    low: Floats,
    high: Floats,
) -> Shadows:
    """The shadows that furniture and sun cast, at pixel centres, where `hits` was `found`."""
    seen = hits.surface != NOTHING
    height, width = seen.shape
    cell = (np.arange(height)[:, None] % 3 * 3 + np.arange(width) % 3)[seen]
    maps = []
    for part in own_shadows(found, cell, solids, lights, low, high):
        maps.append(_spread(part, seen, hits.surface >= FACES))
    bright, clear = sun_clear(found.position, found.normal, lights, solids)
    lit = np.zeros_like(seen)
    lit[seen] = bright
    maps.append(_spread(clear, seen, lit))
    return Shadows(*maps)


def _spread(part: Floats, seen: NDArray[np.bool_], known: NDArray[np.bool_]) -> Floats:
    """Values of the points that were seen as smooth map [h, w], from those that are known."""
    values = np.ones(seen.shape, dtype=np.float32)
    values[seen] = part
    return smoothed(values, known)


def lit(
    found: Points, materials: Sequence[Material], lights: Lights, openly: Floats, directly: Floats
) -> Floats:
    """Light float32 [3, n] that leaves surfaces of furniture, behind their own shadows [n]."""
    light = ambient(found.normal, lights) * (openly * (0.25 + 0.75 * openly))
    light += direct(found.position, found.normal, lights, (2, 1)) * directly
    colour = albedo(materials, found.surface, found.u, found.v)
    glow = np.array([m.glow for m in materials], dtype=np.float32)[found.surface]
    return colour * (light + glow)


def average(
    view: View,
    grid: Grid,
    room: Seen | None,
    solids: Sequence[Solid],
    seen: Sequence[Seen],
    coarse: Floats,
    paint: Paint,
) -> tuple[Floats, Floats]:
    """The picture float32 [3, h, w], premultiplied, and its coverage [h, w], from a fine grid.

    coarse: display values [3, h, w] at pixel centres. They stand wherever all rays of a pixel
    meet one surface and its neighbours look alike; the others, a third or so, are painted anew.
    """
    rows, columns = coarse.shape[1:]
    oversample = grid.u.size // columns
    values = coarse.copy()
    cover = np.empty((rows, columns), dtype=np.float32)
    quiet = _quiet(coarse)
    step = max(BAND_RAYS // (columns * oversample * oversample), 1)
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        band = grid.rows(start * oversample, stop * oversample)
        hits = nearest(band, room, seen)
        met = hits.surface != NOTHING
        cover[start:stop] = averaged(met.astype(np.float32), oversample)
        busy = ~(quiet[start:stop] & _uniform(hits.surface, oversample))
        again = met & busy.repeat(oversample, 0).repeat(oversample, 1)
        down, across = np.nonzero(again)
        pixel = (down // oversample + start) * columns + across // oversample
        canvas = np.zeros((3, *met.shape), dtype=np.float32)
        chosen = Hits(hits.z, np.where(again, hits.surface, np.int16(NOTHING)))
        canvas[:, again] = paint(points(view, band, chosen, solids), pixel)
        np.copyto(values[:, start:stop], averaged(canvas, oversample), where=busy)
    return values, cover


def centres(hits: Hits, found: Points, paint: Paint) -> Floats:
    """Display values float32 [3, h, w] at pixel centres, 0 where nothing is."""
    met = hits.surface != NOTHING
    values = np.zeros((3, *met.shape), dtype=np.float32)
    values[:, met] = paint(found, np.flatnonzero(met))
    return values


def _quiet(values: Floats) -> NDArray[np.bool_]:
    """Pixels [h, w] that hardly differ from the four next to them."""
    quiet = np.ones(values.shape[1:], dtype=bool)
    down = (np.abs(values[:, 1:] - values[:, :-1]) < QUIET).all(axis=0)
    across = (np.abs(values[:, :, 1:] - values[:, :, :-1]) < QUIET).all(axis=0)
    quiet[1:] &= down
    quiet[:-1] &= down
    quiet[:, 1:] &= across
    quiet[:, :-1] &= across
    return quiet


def _uniform(surface: NDArray[np.int16], oversample: int) -> NDArray[np.bool_]:
    """Pixels [h, w] whose rays all meet the same surface."""
    first = surface[::oversample, ::oversample]
    same = np.ones(first.shape, dtype=bool)
    for dy in range(oversample):
        for dx in range(oversample):
            same &= surface[dy::oversample, dx::oversample] == first
    return same
