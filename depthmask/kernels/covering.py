"""What covers what: background before alpha, alpha before alpha, and depth before depth."""

from __future__ import annotations

import numpy as np

from depthmask.data import Float32, UInt8, UInt16
from depthmask.kernels.compiled import dense_rows, native

BLOCK = 32
"""Rows and columns of the blocks of `least_depths`."""


def uncovered(alpha: UInt8, depth_m: Float32, limit_m: float) -> UInt8:
    """Alpha uint8 [h, w], 0 where float32 [h, w] is above 0 and below `limit_m`.

    The same array where that is nowhere.
    """
    if native is None:
        is_covered = (depth_m < np.float32(limit_m)) & (depth_m > 0)
        return np.where(is_covered, np.uint8(0), alpha) if is_covered.any() else alpha
    result = np.empty(alpha.shape, np.uint8)
    covered = native.uncover(result, dense_rows(alpha), dense_rows(depth_m), limit_m)
    return result if covered else alpha


def least_depths(depth_m: Float32, side: int = BLOCK) -> Float32:
    """The least valid depth in each block of `side` rows and columns; infinite without any.

    depth_m: float32 [h, w]; 0 is invalid, none is less. Blocks begin at the upper left; those at
    the other edges may be smaller.
    """
    height, width = depth_m.shape
    if native is None:
        valid = np.where(depth_m > 0, depth_m, np.float32(np.inf))
        of_rows = np.minimum.reduceat(valid, np.arange(0, height, side), axis=0)
        least: Float32 = np.minimum.reduceat(of_rows, np.arange(0, width, side), axis=1)
        return least
    blocks = np.empty((-(-height // side), -(-width // side)), np.float32)
    native.least_depths(blocks, dense_rows(depth_m), side)
    return blocks


def least_depth(depth_m: Float32, alpha: UInt8, least: int) -> float:
    """The least valid depth where alpha is `least` or more; 0 without any.

    depth_m: float32 [h, w], 0 where it is invalid. alpha: uint8 [h, w]. least: 0..255.
    """
    if native is None:
        return _least_depth(depth_m, alpha, least)
    return float(native.least_depth(dense_rows(depth_m), dense_rows(alpha), least))


def _least_depth(depth_m: Float32, alpha: UInt8, least: int) -> float:
    import cv2

    # NumPy's masked minimum takes ten times as long. The result is 0 if there is no pixel.
    is_valid = (alpha >= least) & (depth_m > 0)
    return float(cv2.minMaxLoc(depth_m, is_valid.view(np.uint8))[0])


def overlap(first: UInt8, second: UInt8) -> int:
    """The sum of the lesser of two values, each uint8 [h, w]."""
    if native is None:
        return int(np.minimum(first, second).sum())
    return int(native.overlap(dense_rows(first), dense_rows(second)))


def dimmed(values: UInt8, alpha: UInt8) -> tuple[UInt8, int]:
    """`values` times the complement of `alpha`, rounded, each uint8 [h, w], and what is lost."""
    if native is None:
        result = _over_255(values * (255 - alpha.astype(np.uint16)))
        return result, int((values - result).sum())
    result = np.empty(values.shape, np.uint8)
    return result, int(native.dim(result, dense_rows(values), dense_rows(alpha)))


def unite(mask: UInt8, alpha: UInt8) -> None:
    """Multiply the complement of the mask by that of alpha, rounded, each uint8 [h, w], in place.

    The values of a row of the mask lie side by side.
    """
    if native is None:
        mask[...] = 255 - _over_255((255 - mask.astype(np.uint16)) * (255 - alpha))
    else:
        native.unite(mask, dense_rows(alpha))


def set_nearer(covered_m: Float32, layer_m: Float32 | float, alpha: UInt8, least: int) -> None:
    """Overwrite depth, in place, where a layer has an alpha of `least` or more and is nearer.

    covered_m, layer_m: float32 [h, w], the second may be one number; 0 is invalid and is always
    overwritten. alpha: uint8 [h, w]. The values of a row of `covered_m` lie side by side.
    """
    if native is None:
        own_m = np.float32(layer_m) if isinstance(layer_m, float) else layer_m
        is_nearer = ((own_m < covered_m) | (covered_m == 0)) & (alpha >= least)
        np.copyto(covered_m, own_m, where=is_nearer)
    else:
        layer_m = layer_m if isinstance(layer_m, float) else dense_rows(layer_m)
        native.set_nearer(covered_m, layer_m, dense_rows(alpha), least)


def _over_255(product: UInt16) -> UInt8:
    """`product` / 255, rounded, for 0..65025."""
    total = product + np.uint16(128)
    return ((total + (total >> 8)) >> 8).astype(np.uint8)
