"""Blending by alpha: the plain "over" of Porter and Duff (1984)."""

from __future__ import annotations

import numpy as np

from depthmask.blend.base import Blend, Patch
from depthmask.data import UInt8
from depthmask.stage import stage


@stage("alpha")
class Alpha(Blend):
    """Mix by alpha: `rgb * a + canvas * (1 - a)`, rounded to the nearest level."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> None:
        """In 16-bit integers; (t + (t >> 8)) >> 8 with t = x + 128 is x / 255, rounded."""
        height, width = patch.alpha.shape
        window = canvas[top : top + height, left : left + width]
        total = np.multiply(window, ~patch.alphas, dtype=np.uint16)
        total += np.multiply(patch.rgb, patch.alphas, dtype=np.uint16)
        total += np.uint16(128)
        total += total >> 8
        np.right_shift(total, 8, out=window, casting="unsafe")
