"""Patterns over (u, v) in metres: the share of the second colour, and the brightness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from depthmask.stages.source._rooms.material import Material, Pattern
from depthmask.stages.source._rooms.noise import chance, noise
from depthmask.stages.source._rooms.solids import Floats

Painted: TypeAlias = tuple[Any, Any]
"""(share of the second colour 0..1, brightness), each [n] or a number."""
Painter: TypeAlias = Callable[[Floats, Floats, Any, Any], Painted]
"""(u, v, the material's scale, its seed), each [n] -> `Painted`."""


def _cells(x: Floats) -> tuple[Any, Floats]:
    """(number of the cell that contains x, position 0..1 in it)."""
    low = np.floor(x)
    return low.astype(np.int32), x - low


def _line(place: Floats, width: Any) -> Floats:
    """1 at the cell's border, 0 beyond `width` (in cells) from it."""
    edge = np.minimum(place, 1 - place)
    return np.asarray(np.clip(1 - edge / width, 0, 1))


def _plain(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    return 0, 1


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
    return ((column + row) & 1) * 1.0, 1 - 0.3 * grout + 0.03 * noise(u, v, seed)


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
    return np.where(paper, 0.0, share), np.where(paper, 1.25, 1.0)


def _rug(u: Floats, v: Floats, scale: Any, seed: Any) -> Painted:
    """A bordered carpet; u, v from -1 to 1 over it."""
    edge = np.maximum(np.abs(u), np.abs(v))
    border = (edge > 0.78) & (edge < 0.9)
    weave = 0.9 + 0.04 * noise(u, v, seed)
    lozenge = np.abs(np.abs(u * 3 % 1 - 0.5) + np.abs(v * 3 % 1 - 0.5) - 0.5) < 0.09
    inner = (edge < 0.72) & lozenge & (seed % 3 == 0)
    band = (edge < 0.72) & (np.abs(v * 4 % 1 - 0.5) < 0.12) & (seed % 3 == 1)
    return (border | inner | band) * 0.85, weave


PAINTERS: dict[Pattern, Painter] = {
    Pattern.plain: _plain,
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
NORMALISED = (Pattern.picture, Pattern.rug)
"""Patterns whose (u, v) run from -1 to 1 over the face, not in metres."""


def albedo(materials: Sequence[Material], which: Any, u: Floats, v: Floats) -> Floats:
    """The colours float32 [3, n] of points at u, v [n]. which: the index of each material, [n]."""
    first = np.array([m.colour for m in materials], dtype=np.float32).T
    second = np.array([m.second for m in materials], dtype=np.float32).T
    scale = np.array([m.scale for m in materials], dtype=np.float32)
    seed = np.array([m.seed for m in materials], dtype=np.int32)
    kinds = np.array([m.pattern for m in materials], dtype=np.int8)
    colour = np.take(first, which, axis=1)
    kind = kinds[which]
    for pattern in sorted({m.pattern for m in materials} - {Pattern.plain}):
        (at,) = np.nonzero(kind == pattern)
        own = which[at]
        share, bright = PAINTERS[pattern](u[at], v[at], scale[own], seed[own])
        start = colour[:, at]
        colour[:, at] = (start + (np.take(second, own, axis=1) - start) * share) * bright
    return np.asarray(colour)
