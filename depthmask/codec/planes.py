"""The compact encoding: depth in whole millimetres as bytes that deflate well.

Depth maps consist of slopes, so differences down and then across are small numbers of either sign.
Their low bytes are stored apart from their high bytes, which are nearly all 0. Deflated, a map
of FastDepth has a fifth of the bytes of float32, and takes a third of the time of a PNG.
"""

from __future__ import annotations

import numpy as np

from depthmask.data import UInt8, UInt16

_ONE = np.uint16(1)


def to_planes(millimetres: UInt16) -> UInt8:
    """uint16 [h, w] -> uint8 [2, h, w]: the low and the high bytes of the folded differences."""
    # All arithmetic is modulo 2**16, so that every map can be restored.
    differences = millimetres.copy()
    differences[1:] -= millimetres[:-1]
    across = differences.copy()
    across[:, 1:] -= differences[:, :-1]
    # 0, -1, 1, -2 ... -> 0, 1, 2, 3 ...
    signed = across.view(np.int16)
    folded = (across << _ONE) ^ (signed >> 15).view(np.uint16)
    return np.stack([folded & np.uint16(0xFF), folded >> np.uint16(8)]).astype(np.uint8)


def from_planes(planes: UInt8) -> UInt16:
    """uint8 [2, h, w] -> uint16 [h, w]: the inverse of `to_planes`."""
    low, high = planes.astype(np.uint16)
    folded = low | high << np.uint16(8)
    across = (folded >> _ONE) ^ np.uint16(0) - (folded & _ONE)
    across = np.add.accumulate(across, axis=1, dtype=np.uint16)
    return np.add.accumulate(across, axis=0, dtype=np.uint16)
