"""Renders rooms and cut-outs: rays, points, light, and averages over pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.bake import own_shadows, smoothed
from depthmask.stages.source._rooms.lights import Lights, ambient, direct, sun_clear
from depthmask.stages.source._rooms.material import Material
from depthmask.stages.source._rooms.raycast import FACES, NOTHING, Hits, VisibleSolid, nearest
from depthmask.stages.source._rooms.solids import Floats, Solid
from depthmask.stages.source._rooms.surface import Points, points
from depthmask.stages.source._rooms.texture import albedo
from depthmask.stages.source._rooms.tone import averaged
from depthmask.stages.source._rooms.view import Grid, View

BAND_RAYS = 1 << 18
"""Rays at a time, to bound the memory of large images."""
QUIET = 0.035
"""Difference of display values (0..1) below which one sample for a pixel is enough."""
Paint: TypeAlias = Callable[[Points, NDArray[np.intp]], Floats]
"""(points, the number of each point's pixel [n]) -> display values [3, n]."""


@dataclass(frozen=True, slots=True, eq=False)
class Shadows:
    """Shadow factors for each pixel, float32 [h, w], 1 without shadow.

    ambient_share, direct_share: shadows of furniture on itself, for ambient and for direct light.
    sun: shadows of all solids, for sunlight.
    """

    ambient_share: Floats
    direct_share: Floats
    sun: Floats


def pixel_shadows(
    hit_points: Points,
    hits: Hits,
    solids: Sequence[Solid],
    lights: Lights,
    low: Floats,
    high: Floats,
) -> Shadows:
    """The shadows at pixel centres. hit_points: the points of `hits`."""
    seen = hits.surface != NOTHING
    height, width = seen.shape
    cell = (np.arange(height)[:, None] % 3 * 3 + np.arange(width) % 3)[seen]
    maps = []
    for factors in own_shadows(hit_points, cell, solids, lights, low, high):
        maps.append(_smooth_map(factors, seen, hits.surface >= FACES))
    bright, clear = sun_clear(hit_points.position, hit_points.normal, lights, solids)
    lit = np.zeros_like(seen)
    lit[seen] = bright
    maps.append(_smooth_map(clear, seen, lit))
    return Shadows(*maps)


def _smooth_map(factors: Floats, seen: NDArray[np.bool_], known: NDArray[np.bool_]) -> Floats:
    """A smooth map [h, w] of the factors of the seen points, from those that are known."""
    values = np.ones(seen.shape, dtype=np.float32)
    values[seen] = factors
    return smoothed(values, known)


def lit(
    hit_points: Points,
    materials: Sequence[Material],
    lights: Lights,
    ambient_share: Floats,
    direct_share: Floats,
) -> Floats:
    """Light float32 [3, n] that leaves the surfaces of furniture, with its own shadows [n]."""
    light = ambient(hit_points.normal, lights) * (ambient_share * (0.25 + 0.75 * ambient_share))
    light += direct(hit_points.position, hit_points.normal, lights, (2, 1)) * direct_share
    colour = albedo(materials, hit_points.surface, hit_points.u, hit_points.v)
    glow = np.array([m.glow for m in materials], dtype=np.float32)[hit_points.surface]
    return colour * (light + glow)


def average(
    view: View,
    grid: Grid,
    room: VisibleSolid | None,
    solids: Sequence[Solid],
    seen: Sequence[VisibleSolid],
    coarse: Floats,
    paint: Paint,
) -> tuple[Floats, Floats]:
    """The image float32 [3, h, w], premultiplied, and its coverage [h, w], from a fine grid.

    coarse: display values [3, h, w] at pixel centres. They are kept for pixels whose rays all hit
    one surface and whose neighbours are similar; the others, about a third, are painted again.
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
        repaint = met & busy.repeat(oversample, 0).repeat(oversample, 1)
        down, across = np.nonzero(repaint)
        pixel = (down // oversample + start) * columns + across // oversample
        canvas = np.zeros((3, *met.shape), dtype=np.float32)
        chosen = Hits(hits.z, np.where(repaint, hits.surface, np.int16(NOTHING)))
        canvas[:, repaint] = paint(points(view, band, chosen, solids), pixel)
        np.copyto(values[:, start:stop], averaged(canvas, oversample), where=busy)
    return values, cover


def centres(hits: Hits, hit_points: Points, paint: Paint) -> Floats:
    """Display values float32 [3, h, w] at pixel centres, 0 where no surface is hit."""
    met = hits.surface != NOTHING
    values = np.zeros((3, *met.shape), dtype=np.float32)
    values[:, met] = paint(hit_points, np.flatnonzero(met))
    return values


def _quiet(values: Floats) -> NDArray[np.bool_]:
    """The pixels [h, w] that hardly differ from their four neighbours."""
    quiet = np.ones(values.shape[1:], dtype=bool)
    down = (np.abs(values[:, 1:] - values[:, :-1]) < QUIET).all(axis=0)
    across = (np.abs(values[:, :, 1:] - values[:, :, :-1]) < QUIET).all(axis=0)
    quiet[1:] &= down
    quiet[:-1] &= down
    quiet[:, 1:] &= across
    quiet[:, :-1] &= across
    return quiet


def _uniform(surface: NDArray[np.int16], oversample: int) -> NDArray[np.bool_]:
    """The pixels [h, w] whose rays all hit the same surface."""
    first = surface[::oversample, ::oversample]
    same = np.ones(first.shape, dtype=bool)
    for dy in range(oversample):
        for dx in range(oversample):
            same &= surface[dy::oversample, dx::oversample] == first
    return same
