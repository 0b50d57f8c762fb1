"""Exact sums of pixels, and of their squares."""

from __future__ import annotations

import operator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32, Rows, UInt8
from depthmask.kernels.compiled import dense_rows, native

UInt64: TypeAlias = NDArray[np.uint64]

_MOST_M = 65.535
"""The largest depth whose millimetres 16 bits hold."""
_THOUSAND: Any = 1000.0
"""Typed Any, since OpenCV's stubs ask for an array although it takes a number."""
_CHUNK_VALUES = 1 << 17
"""Values in one call of `cv2.norm`.

It returns the square of a root, which for so few values is off by 0.2 at most; rounded, the sum of
squares is exact."""


def byte_sum(values: UInt8) -> int:
    """The sum of uint8 [h, w]."""
    if native is None:
        return _byte_sum(values)
    return int(native.byte_sum(dense_rows(values)))


def _byte_sum(values: UInt8) -> int:
    import cv2

    # OpenCV adds integers, and returns float64, which is exact when rounded.
    return round(cv2.sumElems(values)[0]) if values.size else 0


def byte_sums(pixels: UInt8) -> tuple[int, ...]:
    """The sum of each channel of uint8 [h, w] or [h, w, 3], then the sum of squares of each."""
    if native is None:
        return _byte_sums(pixels)
    sums: tuple[int, ...] = native.byte_sums(dense_rows(pixels), 1 if pixels.ndim == 2 else 3)
    return sums


def _byte_sums(pixels: UInt8) -> tuple[int, ...]:
    # Imported here, since that takes 0.1 s, which would slow down `--help`.
    import cv2

    channels = 1 if pixels.ndim == 2 else 3
    squares = np.multiply(pixels, pixels, dtype=np.uint16)
    # OpenCV adds integers, and returns float64, which holds these sums.
    sums = [*cv2.sumElems(pixels)[:channels], *cv2.sumElems(squares)[:channels]]
    return tuple(map(int, sums))


def byte_sums_beside(pixels: UInt8, above: UInt64, rows: Rows) -> tuple[int, ...]:
    """As `byte_sums` of [h, w, 3], whose rows outside of `rows` are those of another picture.

    above: the result of `sums_above` for that picture.
    """
    first, stop = rows
    if len(above) != len(pixels) + 1 or not 0 <= first <= stop <= len(pixels):
        raise ValueError(f"rows {first}..{stop} of {len(pixels)}, sums of {len(above) - 1}")
    if native is None:
        return _byte_sums_beside(pixels, above, first, stop)
    sums: tuple[int, ...] = native.byte_sums_beside(dense_rows(pixels), above, first, stop)
    return sums


def _byte_sums_beside(pixels: UInt8, above: UInt64, first: int, stop: int) -> tuple[int, ...]:
    others = (above[-1] - above[stop] + above[first]).tolist()
    return tuple(map(operator.add, others, _byte_sums(pixels[first:stop])))


def sums_above(pixels: UInt8) -> UInt64:
    """uint64 [h + 1, 6]: the sums of `byte_sums` over the rows above each row of [h, w, 3]."""
    if native is None:
        return _sums_above(pixels)
    sums = np.empty((len(pixels) + 1, 6), np.uint64)
    native.sums_above(dense_rows(pixels), sums)
    return sums


def _sums_above(pixels: UInt8) -> UInt64:
    sums = np.zeros((len(pixels) + 1, 6), np.uint64)
    pixels.sum(axis=1, dtype=np.uint64).cumsum(axis=0, out=sums[1:, :3])
    squares = np.multiply(pixels, pixels, dtype=np.uint16)
    squares.sum(axis=1, dtype=np.uint64).cumsum(axis=0, out=sums[1:, 3:])
    return sums


def depth_sums(depth_m: Float32) -> tuple[int, int, int]:
    """(valid values, sum of their millimetres, sum of squares) of float32 [h, w] in metres.

    Each value is rounded to whole millimetres; 0 is invalid. Sums of more than 65.535 m are exact
    as far as float64 holds them.
    """
    sums = None if native is None else native.depth_sums(dense_rows(depth_m), _MOST_M)
    return _depth_sums(depth_m) if sums is None else sums


def _depth_sums(depth_m: Float32) -> tuple[int, int, int]:
    # Invalid pixels are 0 and add nothing.
    fits_16_bits = bool(depth_m.max() <= _MOST_M)
    rows = max(1, _CHUNK_VALUES // depth_m.shape[1])
    chunks = [
        _chunk_sums(depth_m[top : top + rows], fits_16_bits=fits_16_bits)
        for top in range(0, len(depth_m), rows)
    ]
    valid, total, squares = map(sum, zip(*chunks, strict=True))
    return valid, total, squares


def _chunk_sums(depth_m: Float32, *, fits_16_bits: bool) -> tuple[int, int, int]:
    """As `depth_sums`. fits_16_bits: whether 16 bits hold all millimetres.

    BLAS is not used, since its threads cost 50 times what they save.
    """
    import cv2

    if fits_16_bits:
        # OpenCV multiplies and rounds in float64 as well, in half the time of the other branch.
        millimetres = cv2.multiply(depth_m, _THOUSAND, dtype=cv2.CV_16U)
    else:
        millimetres = np.rint(np.multiply(depth_m, 1000.0, dtype=np.float64))
    total, squares = cv2.sumElems(millimetres)[0], cv2.norm(millimetres, cv2.NORM_L2SQR)
    return cv2.countNonZero(depth_m), round(total), round(squares)


def depth_range(depth_m: Float32) -> tuple[float, float]:
    """The least and the greatest value other than 0 of float32 [h, w]; 0 and 0 without any.

    Both are NaN where one is not a number.
    """
    extent = None if native is None else native.depth_range(dense_rows(depth_m))
    return _depth_range(depth_m) if extent is None else extent


def _depth_range(depth_m: Float32) -> tuple[float, float]:
    least, greatest = float(depth_m.min()), float(depth_m.max())
    if least == 0:
        # Most maps have no invalid pixels, and the selection takes five times as long as the rest.
        valid = depth_m[depth_m != 0]
        least = float(valid.min()) if valid.size else 0.0
    return least, greatest
