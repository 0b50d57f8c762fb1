"""Depth in whole millimetres as bytes that deflate well: the compact encoding.

A depth map is made of slopes. Differences down and then across leave small numbers of either sign;
their low bytes are apart from their high ones, which are nearly all 0. At 80x80 a map of FastDepth
takes 4.6 kB deflated, against 22 kB as float32, and a third of the time of a PNG.
"""

from __future__ import annotations

import numpy as np

from depthmask.data import UInt8, UInt16

_ONE = np.uint16(1)


def to_planes(millimetres: UInt16) -> UInt8:
    """uint16 [h, w] -> uint8 [2, h, w]: the low and the high bytes of the folded differences."""
    # Modulo 2**16 all the way, so that any map comes back.
    differences = millimetres.copy()
    differences[1:] -= millimetres[:-1]
    across = differences.copy()
    across[:, 1:] -= differences[:, :-1]
    # 0, -1, 1, -2 ... -> 0, 1, 2, 3 ...
    signed = across.view(np.int16)
    folded = (across << _ONE) ^ (signed >> 15).view(np.uint16)
    return np.stack([folded & np.uint16(0xFF), folded >> np.uint16(8)]).astype(np.uint8)


def from_planes(planes: UInt8) -> UInt16:
    """What `to_planes` was given."""
    low, high = planes.astype(np.uint16)
    folded = low | high << np.uint16(8)
    across = (folded >> _ONE) ^ np.uint16(0) - (folded & _ONE)
    across = np.add.accumulate(across, axis=1, dtype=np.uint16)
    return np.add.accumulate(across, axis=0, dtype=np.uint16)
