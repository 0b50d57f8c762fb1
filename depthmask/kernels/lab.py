"""Colours in CIE Lab, in integers: the same on all processors.

sRGB under D65, https://www.w3.org/TR/css-color-4/#color-conversion-code. Linear values and X, Y, Z,
relative to white, are in 1/65535, matrices in 2**-14, roots and Lab in 2**-16.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthmask.data import UInt8
from depthmask.kernels.compiled import dense_rows, native

UNIT = 1 << 16
"""One step of L, a or b."""
_TO_XYZ = np.array([[7110, 6164, 3110], [3484, 11717, 1183], [290, 1794, 14300]])
_TO_RGB = np.array([[50462, -25185, -8893], [-15094, 30736, 742], [867, -3343, 18860]])
_KNEE, _OFFSET, _SLOPE = 13559, 9039, 8416
"""Where roots become linear, in 2**-16: 6/29, 16/116, and 1 / 7.787 of the unit."""


class LabSums(NamedTuple):
    """Sums over pixels: their number, L, the square of L, a and b, the values in 2**-8."""

    pixels: int
    lightness: int
    squares: int
    a: int
    b: int


class LabMove(NamedTuple):
    """L becomes `(L - mean) * factor + lightness`; a and b get more.

    factor in 2**-16, the rest in `UNIT`.
    """

    mean: int
    factor: int
    lightness: int
    a: int
    b: int


class _Tables(NamedTuple):
    """linear: of each byte. root: of each X, Y or Z. curve: the byte of each linear value."""

    linear: NDArray[np.uint16]
    root: NDArray[np.int32]
    curve: UInt8


@cache
def _tables() -> _Tables:
    byte, unit = np.arange(256) / 255, np.arange(65536) / 65535
    linear = np.where(byte <= 0.04045, byte / 12.92, ((byte + 0.055) / 1.055) ** 2.4)
    root = np.where(unit > 0.008856, np.cbrt(unit), 7.787 * unit + 16 / 116)
    curve = np.where(unit <= 0.0031308, 12.92 * unit, 1.055 * unit ** (1 / 2.4) - 0.055)
    return _Tables(
        np.rint(linear * 65535).astype(np.uint16),
        np.rint(root * UNIT).astype(np.int32),
        np.rint(curve * 255).astype(np.uint8),
    )


def lab_sums(
    rgb: UInt8, alpha: UInt8 | None = None, least: int = 0, steps: tuple[int, int] = (1, 1)
) -> LabSums:
    """The sums over the pixels of uint8 [h, w, 3] whose alpha, uint8 [h, w], is `least` or more.

    steps: of the rows and columns that are read.
    """
    if native is None:
        return _lab_sums(rgb, alpha, least, steps)
    linear, root, _ = _tables()
    alpha = None if alpha is None else dense_rows(alpha)
    return LabSums(*native.lab_sums(dense_rows(rgb), alpha, least, *steps, linear, root))


def moved_in_lab(rgb: UInt8, alpha: UInt8, move: LabMove) -> UInt8:
    """The colours uint8 [h, w, 3], moved where alpha, uint8 [h, w], is not 0."""
    if native is None:
        return _moved_in_lab(rgb, alpha, move)
    result = np.empty(rgb.shape, np.uint8)
    native.moved_in_lab(dense_rows(rgb), dense_rows(alpha), result, move, *_tables())
    return result


def _lab(rgb: UInt8) -> NDArray[np.int64]:
    """int64 [n, 3] of uint8 [n, 3]."""
    linear, root, _ = _tables()
    xyz = np.clip((linear[rgb].astype(np.int64) @ _TO_XYZ.T + 8192) >> 14, 0, 65535)
    x, y, z = root[xyz].astype(np.int64).T
    return np.stack([116 * y - 16 * UNIT, 500 * (x - y), 200 * (y - z)], axis=1)


def _lab_sums(rgb: UInt8, alpha: UInt8 | None, least: int, steps: tuple[int, int]) -> LabSums:
    every = slice(None, None, steps[0]), slice(None, None, steps[1])
    pixels = rgb[every].reshape(-1, 3) if alpha is None else rgb[every][alpha[every] >= least]
    lightness, a, b = (_lab(pixels) >> 8).T
    sums = (lightness.sum(), (lightness * lightness).sum(), a.sum(), b.sum())
    return LabSums(len(pixels), *map(int, sums))


def _moved_in_lab(rgb: UInt8, alpha: UInt8, move: LabMove) -> UInt8:
    is_visible, result = alpha > 0, rgb.copy()
    lightness, a, b = _lab(rgb[is_visible]).T
    moved = ((lightness - move.mean) * move.factor >> 16) + move.lightness
    # 1 / 116, 1 / 500 and 1 / 200 in 2**-24.
    y = (moved + 16 * UNIT) * 144631 >> 24
    x, z = y + ((a + move.a) * 33554 >> 24), y - ((b + move.b) * 83886 >> 24)
    roots = np.stack([x, y, z], axis=1)
    xyz = np.where(roots > _KNEE, roots**3 >> 32, (roots - _OFFSET) * _SLOPE >> 16)
    linear = np.clip((xyz @ _TO_RGB.T + 8192) >> 14, 0, 65535)
    result[is_visible] = _tables().curve[linear]
    return result
