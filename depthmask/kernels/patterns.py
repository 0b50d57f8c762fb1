"""Patterns over surfaces, and the noise that they are made of: the same on every machine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32
from depthmask.kernels.compiled import Floats, native


class Pattern(IntEnum):
    """A pattern of two colours over (u, v), in metres but for `NORMALISED`."""

    plain = 0
    plaster = 1
    wood = 2
    planks = 3
    tiles = 4
    checker = 5
    carpet = 6
    fabric = 7
    stripes = 8
    books = 9
    folds = 10
    leaves = 11
    picture = 12
    rug = 13


NORMALISED = (Pattern.picture, Pattern.rug)
"""Patterns whose (u, v) run from -1 to 1 over the face, not in metres."""


class Materials(NamedTuple):
    """k materials.

    patterns, seeds: int32 [k]; seeds shift a pattern. numbers: float32 [k, 7], for each its two
    colours and the width of the pattern's unit (a plank, a tile, a stripe).
    """

    patterns: NDArray[np.int32]
    seeds: NDArray[np.int32]
    numbers: Float32


def outdoors(ray: Float32, colours: Float32, seed: int) -> Float32:
    """Light [3, n] along rays [3, n], from infinitely far: sky, then trees or houses, then grass.

    colours: [5, 3], of the zenith, the horizon, trees, lawn and houses.
    """
    result = np.empty(ray.shape, np.float32)
    if native is None:
        _outdoors(ray, colours, seed, result)
    else:
        ray = np.ascontiguousarray(ray)
        native.outdoors(ray, colours, seed, _field(), _hashes(), result)
    return result


Painted: TypeAlias = tuple[Any, Any]
"""(share of the second colour 0..1, brightness), each [n] or a number."""
Painter: TypeAlias = Callable[[Floats, Floats, Any, Any], Painted]
"""(u, v, the material's scale, its seed), each [n] -> `Painted`."""


def painted(u: Float32, v: Float32, which: NDArray[np.int16], materials: Materials) -> Float32:
    """The colours [3, n] of points at u, v [n]. which: the material of each, [n].

    It is fastest where points of one material lie side by side.
    """
    colour = np.empty((3, u.size), np.float32)
    if native is None:
        _paint(u, v, which, materials, colour)
    else:
        u, v = np.ascontiguousarray(u), np.ascontiguousarray(v)
        native.paint_patterns(u, v, which, *materials, _field(), _hashes(), colour)
    return colour


SIDE = 512
OCTAVES = {8: 1.0, 16: 0.6155722066724582, 32: 0.37892914162759955, 64: 0.23325824788420188,
           128: 0.1435872943746294}  # fmt: skip
"""Cells along each side -> weight, 0.7 powers of 8 / cells."""


@functools.cache
def _field() -> NDArray[np.float32]:
    """Fractal noise float32 [SIDE * SIDE], tileable, of mean 0 and deviation 1."""
    rng = np.random.Generator(np.random.Philox(2024))
    total = np.zeros((SIDE, SIDE))
    for cells, weight in OCTAVES.items():
        values: NDArray[np.float64] = rng.random((cells, cells)) - 0.5
        for axis in (0, 1):
            values = _stretch(values, axis)
        total += values * weight
    total -= total.mean()
    return np.asarray((total / total.std()).astype(np.float32).ravel())


def _stretch(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
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


def _cells(x: Floats) -> tuple[Any, Floats]:
    """(number of the cell that contains x, position 0..1 in it)."""
    low = np.floor(x)
    return low.astype(np.int32), x - low


def _line(place: Floats, width: Any) -> Floats:
    """1 at the cell's border, 0 beyond `width` (in cells) from it."""
    edge = np.minimum(place, 1 - place)
    return np.asarray(np.clip(1 - edge / width, 0, 1))


def _plaster(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    return 0, 1 + 0.018 * noise(u / 3, v / 3, seed)


def _wood(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    grain = noise(u * 1.3, v * 0.16, seed)
    return np.clip(0.35 + 0.28 * grain, 0, 1), 1


def _planks(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    row, across = _cells(u / scale)
    length = scale * 8
    board, along = _cells(v / length + chance(row, 0, seed))
    tint = chance(row, board, seed)
    grain = noise(u * 1.1 + tint * 3, v * 0.13 + tint, seed)
    seam = np.maximum(_line(across, 0.035), _line(along, 0.004))
    return np.clip(0.3 + 0.22 * grain + 0.5 * (tint - 0.5), 0, 1), 1 - 0.55 * seam


def _tiles(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    column, across = _cells(u / scale)
    row, along = _cells(v / scale)
    grout = np.maximum(_line(across, 0.018), _line(along, 0.018))
    shade = 0.96 + 0.08 * chance(column, row, seed) + 0.02 * noise(u / 2, v / 2, seed)
    return np.minimum(grout * 2, 1), shade


def _checker(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    column, across = _cells(u / scale)
    row, along = _cells(v / scale)
    grout = np.maximum(_line(across, 0.015), _line(along, 0.015))
    return ((column + row) & 1).astype(np.float32), 1 - 0.3 * grout + 0.03 * noise(u, v, seed)


def _carpet(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    return np.clip(0.5 + 0.16 * noise(u * 2.6, v * 2.6, seed), 0, 1), 1 + 0.02 * noise(u / 4, v / 4)


def _fabric(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    return np.clip(0.3 + 0.15 * noise(u * 2.3, v * 2.3, seed), 0, 1), 1


def _stripes(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    _, across = _cells(u / scale)
    return np.clip((np.abs(across - 0.5) - 0.25) * 40 + 0.5, 0, 1), 1


def _books(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    book, across = _cells(u / scale + 0.3 * noise(u * 0, np.floor(v * 0), seed))
    spine = np.clip(1.25 - np.abs(across - 0.5) * 1.6, 0.35, 1)
    return chance(book, 1, seed), spine * (0.55 + 0.9 * chance(book, 2, seed))


def _folds(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    fold, across = _cells(u / scale + 0.25 * noise(u * 0.4, v * 0.02, seed))
    wave = 4 * across * (1 - across)
    return 0, 0.62 + 0.38 * wave * (0.8 + 0.3 * chance(fold, 0, seed))


def _leaves(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    return np.clip(0.4 + 0.35 * noise(u * 1.5, v * 1.5, seed), 0, 1), 1


def _picture(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    """A framed print: hills under a sky; u, v from -1 to 1 over the board."""
    paper = (np.abs(u) > 0.72) | (np.abs(v) > 0.72)
    hills = noise(u / 6, seed * 0.137, seed) * 0.16 + noise(u / 2, seed * 0.31, seed) * 0.03 - 0.1
    far = noise(u / 5, seed * 0.71, seed) * 0.14 + 0.2
    share = np.where(v < hills, 1.0, np.where(v < far, 0.62, 0.12 + 0.2 * (0.7 - v)))
    return np.where(paper, 0.0, share), np.where(paper, np.float32(1.25), np.float32(1.0))


def _rug(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    """A bordered carpet; u, v from -1 to 1 over it."""
    edge = np.maximum(np.abs(u), np.abs(v))
    border = (edge > 0.78) & (edge < 0.9)
    weave = 0.9 + 0.04 * noise(u, v, seed)
    x, y, z = (_cells(place)[1] for place in (u * 3, v * 3, v * 4))
    lozenge = np.abs(np.abs(x - 0.5) + np.abs(y - 0.5) - 0.5) < 0.09
    inner = (edge < 0.72) & lozenge & (seed % 3 == 0)
    band = (edge < 0.72) & (np.abs(z - 0.5) < 0.12) & (seed % 3 == 1)
    return (border | inner | band) * np.float32(0.85), weave


_PAINTERS: dict[Pattern, Painter] = {
    Pattern.plaster: _plaster,
    Pattern.wood: _wood,
    Pattern.planks: _planks,
    Pattern.tiles: _tiles,
    Pattern.checker: _checker,
    Pattern.carpet: _carpet,
    Pattern.fabric: _fabric,
    Pattern.stripes: _stripes,
    Pattern.books: _books,
    Pattern.folds: _folds,
    Pattern.leaves: _leaves,
    Pattern.picture: _picture,
    Pattern.rug: _rug,
}


def _paint(
    u: Float32, v: Float32, which: NDArray[np.int16], materials: Materials, colour: Float32
) -> None:
    first, second, scale = (materials.numbers.T[rows] for rows in (slice(3), slice(3, 6), 6))
    colour[:] = np.take(first, which, axis=1)
    kind = materials.patterns[which]
    for pattern, painter in _PAINTERS.items():
        (at,) = np.nonzero(kind == pattern)
        own = which[at]
        share, bright = painter(u[at], v[at], scale[own], materials.seeds[own])
        start = colour[:, at]
        colour[:, at] = (start + (np.take(second, own, axis=1) - start) * share) * bright


def _outdoors(ray: Float32, colours: Float32, seed: int, result: Float32) -> None:
    zenith, horizon, trees, lawn, houses = colours[:, :, None]
    away = np.sqrt(ray[0] * ray[0] + ray[2] * ray[2]) + np.float32(1e-6)
    rise = ray[1] / away
    # A bearing without trigonometry, monotonic over the half of the horizon in view.
    bearing = np.where(
        ray[2] > np.abs(ray[0]), ray[0] / away, np.sign(ray[0]) * (2 - ray[2] / away)
    )
    colour = horizon + (zenith - horizon) * np.clip(rise * 1.6, 0, 1)
    cloud = np.clip(noise(bearing * 0.35, rise * 0.9, seed) * 0.5, 0, 1)
    colour += (3.8 - colour) * cloud * 0.7
    if seed % 2:
        colour = _with_houses(colour, houses, bearing, rise, seed)
    top = -0.03 + 0.14 * _crowns(bearing * 4, seed) + 0.05 * _crowns(bearing * 23, seed + 1)
    leaf = 0.8 + 0.16 * noise(bearing * 2, rise * 2, seed)
    colour = np.where(rise < top, trees * leaf, colour)
    result[:] = np.where(rise < -0.12, lawn * leaf, colour)


def _with_houses(
    colour: Float32, houses: Float32, bearing: Float32, rise: Float32, seed: int
) -> Float32:
    block = np.floor(bearing * 9).astype(np.int32)
    top, tint = 0.02 + 0.26 * chance(block, 3, seed), 0.75 + 0.5 * chance(block, 5, seed)
    colour = np.where(rise < top, houses * tint, colour)
    across, up = _cells(bearing * 72)[1], _cells(rise * 30)[1]
    panes = (np.abs(across - 0.5) < 0.22) & (np.abs(up - 0.5) < 0.25)
    return np.where((rise < top - 0.03) & panes, colour * 0.55, colour)


def _crowns(place: Floats, seed: int) -> Floats:
    """Smooth bumps 0..1 [n] of width 1 along `place`."""
    cell, fraction = _cells(place)
    first = chance(cell, 9, seed)
    return first + (chance(cell + 1, 9, seed) - first) * (fraction * fraction * (3 - 2 * fraction))
