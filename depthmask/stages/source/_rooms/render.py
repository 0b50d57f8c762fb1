"""Renders rooms and cut-outs: rays, points, light, and averages over pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32
from depthmask.kernels.compiled import Floats
from depthmask.kernels.patterns import Materials, painted
from depthmask.kernels.rays import FACES, Bodies, SurfacePoints, keep_busy
from depthmask.stages.source._rooms.bake import own_shadows, smoothed
from depthmask.stages.source._rooms.lights import Lights, ambient, direct, sun_clear
from depthmask.stages.source._rooms.material import Material, table
from depthmask.stages.source._rooms.raycast import Hits, nearest
from depthmask.stages.source._rooms.solids import Solid, bodies
from depthmask.stages.source._rooms.surface import points
from depthmask.stages.source._rooms.view import Grid, Seen, View, seen_from

BAND_RAYS = 1 << 18
"""Rays at a time, to bound the memory of large images."""
QUIET = 0.035
"""Difference of display values (0..1) below which one sample for a pixel is enough."""
Paint: TypeAlias = Callable[[SurfacePoints, NDArray[np.int32]], Float32]
"""(points, the number of each point's pixel [n]) -> display values [3, n]."""


@dataclass(frozen=True, slots=True, eq=False)
class Shadows:
    """Shadow factors for each pixel, float32 [h, w], 1 without shadow.

    ambient_share, direct_share: shadows of furniture on itself, for ambient and for direct light.
    sun: shadows of all solids, for sunlight.
    """

    ambient_share: Float32
    direct_share: Float32
    sun: Float32


@dataclass(frozen=True, slots=True, eq=False)
class Things:
    """What stands in a scene.

    solids: n bodies. pieces: int [n], the pieces of furniture that they belong to. seen: how the
    camera sees them. walls: the lowest and the highest coordinates of the room. materials: of all
    surfaces, the room's faces first. glow: float32 [6 + n], the light that they emit, as a multiple
    of their colour.
    """

    solids: Bodies
    pieces: NDArray[np.intp]
    seen: Seen
    walls: tuple[Floats, Floats]
    materials: Materials
    glow: Float32

    @classmethod
    def of(
        cls,
        view: View,
        solids: Sequence[Solid],
        walls: tuple[Floats, Floats],
        faces: Sequence[Material],
    ) -> Things:
        """Solids in a room whose six faces have the given materials."""
        rows, materials = bodies(solids), [*faces, *(s.material for s in solids)]
        pieces = np.array([s.piece for s in solids], np.intp)
        glow = np.array([m.glow for m in materials], np.float32)
        return cls(rows, pieces, seen_from(view, rows), walls, table(materials), glow)


def pixel_shadows(hit_points: SurfacePoints, hits: Hits, things: Things, lights: Lights) -> Shadows:
    """The shadows at pixel centres. hit_points: the points of `hits`."""
    shape = hits.surface.shape
    row, column = np.divmod(hit_points.pixel, shape[1])
    cell = row % 3 * 3 + column % 3
    is_solid = hit_points.surface >= FACES
    ambient_share, direct_share = own_shadows(
        hit_points, cell, things.solids, things.pieces, lights, things.walls
    )
    bright, clear = sun_clear(hit_points.position, hit_points.normal, lights, things.solids)
    known = ((ambient_share, is_solid), (direct_share, is_solid), (clear, bright))
    return Shadows(*(_smooth_map(*one, hit_points.pixel, shape) for one in known))


def _smooth_map(
    factors: Float32,
    is_known: NDArray[np.bool_],
    pixel: NDArray[np.int32],
    shape: tuple[int, ...],
) -> Float32:
    """A smooth map [h, w] of the factors [n] of pixels, from those that are known."""
    values, known = np.ones(shape, np.float32), np.zeros(shape, bool)
    values.ravel()[pixel] = factors
    known.ravel()[pixel] = is_known
    return smoothed(values, known)


def lit(
    hit_points: SurfacePoints,
    things: Things,
    lights: Lights,
    ambient_share: Float32,
    direct_share: Float32,
) -> Float32:
    """Light float32 [3, n] that leaves the surfaces of furniture, with its own shadows [n]."""
    light = ambient(hit_points.normal, lights) * (ambient_share * (0.25 + 0.75 * ambient_share))
    light += direct(hit_points.position, hit_points.normal, lights, (2, 1)) * direct_share
    colour = painted(hit_points.u, hit_points.v, hit_points.surface, things.materials)
    return colour * (light + things.glow[hit_points.surface])


def average(
    view: View,
    grid: Grid,
    shell: NDArray[np.float64] | None,
    things: Things,
    coarse: Float32,
    paint: Paint,
) -> tuple[Float32, Float32]:
    """The image float32 [3, h, w], premultiplied, and its coverage [h, w], from a fine grid.

    coarse: display values [3, h, w] at pixel centres. They are kept for pixels whose rays all hit
    one surface and whose neighbours are similar; the others, about a third, are painted again.
    """
    rows, columns = coarse.shape[1:]
    oversample = grid.u.size // columns
    values, cover = coarse.copy(), np.empty((rows, columns), np.float32)
    is_busy = _busy(coarse)
    step = max(BAND_RAYS // (columns * oversample * oversample), 1)
    for start in range(0, rows, step):
        band = slice(start, min(start + step, rows))
        rays = grid.rows(start * oversample, band.stop * oversample)
        hits = nearest(rays, shell, things.seen)
        busy = is_busy[band]
        cover[band] = keep_busy(hits.surface, busy, oversample) / np.float32(oversample**2)
        hit_points = points(view, rays, hits, things.solids, oversample)
        shown = paint(hit_points, hit_points.pixel + np.int32(start * columns))
        means = _sums(shown, hit_points.pixel, busy.shape) / np.float32(oversample**2)
        np.copyto(values[:, band], means, where=busy)
    return values, cover


def _sums(shown: Float32, pixel: NDArray[np.int32], shape: tuple[int, ...]) -> Float32:
    """The sums float32 [3, h, w] over the points [3, n] of each pixel."""
    size = shape[0] * shape[1]
    sums = [np.bincount(pixel, channel, size).astype(np.float32) for channel in shown]
    return np.stack(sums).reshape(3, *shape)


def centres(hits: Hits, hit_points: SurfacePoints, paint: Paint) -> Float32:
    """Display values float32 [3, h, w] at pixel centres, 0 where no surface is hit."""
    values = np.zeros((3, hits.surface.size), dtype=np.float32)
    values[:, hit_points.pixel] = paint(hit_points, hit_points.pixel)
    return values.reshape(3, *hits.surface.shape)


def _busy(values: Float32) -> NDArray[np.bool_]:
    """The pixels [h, w] that differ from one of their four neighbours."""
    busy = np.zeros(values.shape[1:], dtype=bool)
    down = (np.abs(values[:, 1:] - values[:, :-1]) >= QUIET).any(axis=0)
    across = (np.abs(values[:, :, 1:] - values[:, :, :-1]) >= QUIET).any(axis=0)
    busy[1:] |= down
    busy[:-1] |= down
    busy[:, 1:] |= across
    busy[:, :-1] |= across
    return busy
