"""Blending by alpha: the plain "over" of Porter and Duff (1984)."""

from __future__ import annotations

import numpy as np

from depthmask.blend.base import Blend
from depthmask.data import UInt8
from depthmask.stage import stage


@stage("alpha")
class Alpha(Blend):
    """Mix by alpha: `rgb * a + canvas * (1 - a)`, rounded to the nearest level."""

    def blend(self, canvas: UInt8, rgb: UInt8, alpha: UInt8, top: int, left: int) -> None:
        """In 16-bit integers; (t + (t >> 8)) >> 8 with t = x + 128 is x / 255, rounded."""
        height, width = alpha.shape
        window = canvas[top : top + height, left : left + width]
        weight = alpha[..., None].astype(np.uint16)
        total = rgb * weight
        total += window * (255 - weight)
        total += 128
        total += total >> 8
        np.right_shift(total, 8, out=window, casting="unsafe")
