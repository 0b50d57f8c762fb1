"""Blurring bytes, with those of OpenCV's `GaussianBlur`."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from depthmask.data import UInt8, UInt16
from depthmask.kernels.compiled import dense_rows, native

_UNIT = 256
"""The sum of the weights of a row."""


def blurred(values: UInt8, sigma: float) -> UInt8:
    """Uint8 [h, w], blurred by a Gaussian; the edges are repeated beyond the border.

    sigma: in pixels, above 0. OpenCV gives the same bytes, and takes twice as long.
    """
    if not values.size:
        return values
    if native is None:
        return _blurred(values, _taps(sigma))
    result = np.empty(values.shape, np.uint8)
    native.blur(result, dense_rows(values), _taps(sigma))
    return result


def _blurred(values: UInt8, taps: UInt16) -> UInt8:
    reach, (height, width) = len(taps) // 2, values.shape
    padded = np.pad(values, reach, "edge").astype(np.uint16)
    across = sum(weight * padded[:, i : i + width] for i, weight in enumerate(taps))
    wide = np.asarray(across, np.uint32)
    down = sum(np.uint32(weight) * wide[i : i + height] for i, weight in enumerate(taps))
    return ((np.asarray(down, np.uint32) + (1 << 15)) >> 16).astype(np.uint8)


@cache
def _taps(sigma: float) -> UInt16:
    """The weights of OpenCV, whole numbers that add up to 256, without zeros at the ends.

    From the ends on, each is rounded after it has taken over the error of the one before.
    """
    reach = (round(6 * sigma + 1) | 1) // 2
    steps = [place / sigma for place in range(-reach, 1)]
    weights = [math.exp(-step * step / 2) for step in steps]
    total, error = 2 * sum(weights) - weights[-1], 0.0
    whole: list[int] = []
    for weight in weights[:-1]:
        exact = weight / total * _UNIT + error
        whole.append(round(exact))
        error = exact - whole[-1]
    taps = [*whole, _UNIT - 2 * sum(whole), *reversed(whole)]
    return np.trim_zeros(np.array(taps, np.uint16))
