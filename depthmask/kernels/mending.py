"""Colours for soft pixels from the solid pixels nearby."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthmask.data import UInt8
from depthmask.kernels.compiled import dense_rows, native

_MOST_TAPS = 5_900_000
"""255 times the square of their sum is less than 2**53."""


def mended(rgba: UInt8, solid: int, taps: NDArray[np.float64], least: float) -> UInt8:
    """The colours uint8 [h, w, 3], with means of solid ones where alpha is less than `solid`.

    rgba: uint8 [h, w, 4]. taps: the weights across and down, an odd number of whole numbers, 255
    times the square of whose sum is less than 2**53: sums are exact in float64, in any order.
    least: where the sum of weights is not more, a colour stays. Beyond its edge, the cut-out is
    mirrored.
    """
    taps = np.ascontiguousarray(taps, np.float64)
    if len(taps) % 2 == 0 or (taps != np.rint(taps)).any() or not 0 < taps.sum() < _MOST_TAPS:
        raise ValueError(f"{taps}: no weights for sums that are exact")
    # Imported here, since that takes 0.1 s, which would slow down `--help`.
    import cv2

    # In a thirtieth of the time of NumPy's copy.
    result = np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)
    if native is None:
        _mend(result, rgba[..., 3], solid, taps, least)
    else:
        native.mend(result, dense_rows(rgba), solid, taps, least)
    return result


def _mend(result: UInt8, alpha: UInt8, solid: int, taps: NDArray[np.float64], least: float) -> None:
    import cv2

    is_solid = alpha >= solid
    colours = np.dstack([result, np.full_like(alpha, 1)]) * is_solid[..., None]
    nearby = cv2.sepFilter2D(colours.astype(np.float64), cv2.CV_64F, taps, taps)
    weight = nearby[..., 3]
    is_mended = ~is_solid & (weight > least)
    result[is_mended] = np.rint(nearby[is_mended, :3] / weight[is_mended, None])
