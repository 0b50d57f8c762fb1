"""Makes the rim of a hard mask soft, as the photograph shows it, and takes the background out.

Alpha is the mask, filtered with the photograph as the guide (He et al. 2010, "Guided Image
Filtering", https://kaiminghe.github.io/eccv10), near the edge of the mask. The colours of the rim
are those that, mixed with the colours of the background around it, give the photograph (Forte 2021,
"Approximate Fast Foreground Colour Estimation", https://doi.org/10.1109/ICIP42928.2021.9506164).

All sums are of whole numbers, and each operation on floats is rounded by itself, so every processor
gives the same bytes.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from depthmask import UInt8
from numpy.typing import NDArray

Int64: TypeAlias = NDArray[np.int64]
Float64: TypeAlias = NDArray[np.float64]
_WINDOW = 1
"""The windows of the filter reach this much further than the rim. With a rim of 2, 3 pixels were
better than 2 and 4."""
_FLAT = 6.5
"""The variance of colours, 1e-4 for colours of 0..1, below which a window counts as of one
colour."""
_COLOUR_RADIUS = 4
_FIXED = 1 << 20
"""Fractions are sums of this part of 1."""
_LEAST_SHOWN = 128


def margin(rim: int) -> int:
    """How many pixels around a mask decide its rim."""
    return rim + max(2 * (rim + _WINDOW), _COLOUR_RADIUS)


def soft_cut_out(pixels: UInt8, mask: UInt8, rim: int) -> UInt8:
    """An object with a soft rim: uint8 [h, w, 4], straight alpha.

    pixels: the photograph, uint8 [h, w, 3]. mask: uint8 [h, w], 1 where the object is. rim: how
    many pixels alpha may differ from the mask on either side of its edge; 0 for the hard mask.
    """
    if rim == 0:
        return np.dstack([pixels, mask * np.uint8(255)])
    alpha = _alpha(pixels, mask, rim)
    return np.dstack([_own_colours(pixels, alpha), alpha])


def _alpha(pixels: UInt8, mask: UInt8, rim: int) -> UInt8:
    """uint8 [h, w]: the filtered mask near its edge, and the mask elsewhere."""
    import cv2

    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    # What lies beyond the photograph is neither the object nor its background.
    core = cv2.erode(mask, disk)
    near = cv2.dilate(mask, disk) != core
    soft = np.clip(np.rint(_filtered(pixels, mask, rim + _WINDOW) * 255), 0, 255).astype(np.uint8)
    alpha = np.where(near, soft, mask * np.uint8(255))
    # Thin objects keep a visible core, however alike their colours and those around them are.
    return alpha if alpha.max() >= _LEAST_SHOWN else mask * np.uint8(255)


def _filtered(pixels: UInt8, mask: UInt8, radius: int) -> Float64:
    """float64 [h, w]: the mask filtered with the photograph as the guide."""
    count = _sums(np.ones(mask.shape, np.int64), radius)
    guide = [pixels[..., channel].astype(np.int64) for channel in range(3)]
    target = mask.astype(np.int64)
    sums, total = [_sums(one, radius) for one in guide], _sums(target, radius)
    squared = (count * count).astype(np.float64)
    with_target = [
        (count * _sums(one * target, radius) - sum_ * total) / squared
        for one, sum_ in zip(guide, sums, strict=True)
    ]
    variances = {
        (one, other): (count * _sums(guide[one] * guide[other], radius) - sums[one] * sums[other])
        / squared
        for one in range(3)
        for other in range(one, 3)
    }
    slopes = _solved(variances, with_target)
    offset = total / count
    for slope, sum_ in zip(slopes, sums, strict=True):
        offset = offset - slope * (sum_ / count)
    result = _mean(offset, count, radius)
    for slope, one in zip(slopes, guide, strict=True):
        result = result + _mean(slope, count, radius) * one
    return result


def _solved(variances: dict[tuple[int, int], Float64], right: list[Float64]) -> list[Float64]:
    """The slopes of the windows: a symmetric system of three equations each, by cofactors."""
    a, d, f = (variances[one, one] + _FLAT for one in range(3))
    b, c, e = variances[0, 1], variances[0, 2], variances[1, 2]
    cofactors = (
        (d * f - e * e, c * e - b * f, b * e - c * d),
        (c * e - b * f, a * f - c * c, b * c - a * e),
        (b * e - c * d, b * c - a * e, a * d - b * b),
    )
    determinant = a * cofactors[0][0] + b * cofactors[0][1] + c * cofactors[0][2]
    return [
        (one * right[0] + two * right[1] + three * right[2]) / determinant
        for one, two, three in cofactors
    ]


def _own_colours(pixels: UInt8, alpha: UInt8) -> UInt8:
    """uint8 [h, w, 3]: the photograph without the background that shines through the rim."""
    own = alpha.astype(np.int64)
    other = 255 - own
    share = own / 255
    of_own, of_other = _sums(own, _COLOUR_RADIUS), _sums(other, _COLOUR_RADIUS)
    colours = np.empty_like(pixels)
    for channel in range(3):
        plane = pixels[..., channel].astype(np.int64)
        front = _sums(plane * own, _COLOUR_RADIUS) / np.maximum(of_own, 1)
        behind = _sums(plane * other, _COLOUR_RADIUS) / np.maximum(of_other, 1)
        rest = plane - share * front - (1 - share) * behind
        colours[..., channel] = np.clip(np.rint(front + share * rest), 0, 255)
    return colours


def _mean(values: Float64, count: Int64, radius: int) -> Float64:
    return _sums(np.rint(values * _FIXED).astype(np.int64), radius) / (count * _FIXED)


def _sums(values: Int64, radius: int) -> Int64:
    """The sum of each window of 2 * radius + 1 pixels along both sides, cut off at the border."""
    return _along(_along(values, radius).T, radius).T


def _along(values: Int64, radius: int) -> Int64:
    """The sums down the columns."""
    length = len(values)
    sums = np.zeros((length + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=sums[1:])
    positions = np.arange(length)
    return (
        sums[np.minimum(positions + radius + 1, length)] - sums[np.maximum(positions - radius, 0)]
    )
