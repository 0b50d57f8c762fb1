"""Blending by alpha: the plain "over" of Porter and Duff (1984)."""

from __future__ import annotations

from depthmask.blend.base import Blend, Patch
from depthmask.data import UInt8
from depthmask.stage import stage


@stage("alpha")
class Alpha(Blend):
    """Mix by alpha: `rgb * a + canvas * (1 - a)`, rounded to the nearest level."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """Canvas + (rgb - canvas) * a / 255, what is more apart from what is less: all in bytes.

        OpenCV's products are float32, whose error never reaches the next level: no multiple of
        1/255 is a tie. 17 us for 71x79 pixels; its `blendLinear` takes 28, NumPy 25.
        """
        # Here, because its import takes 0.1 s, which `--help` does not have.
        import cv2

        height, width = patch.alpha.shape
        window = canvas[top : top + height, left : left + width]
        alpha = cv2.cvtColor(patch.alpha, cv2.COLOR_GRAY2RGB)
        more = cv2.multiply(cv2.subtract(patch.rgb, window), alpha, scale=1 / 255)
        less = cv2.multiply(cv2.subtract(window, patch.rgb), alpha, scale=1 / 255)
        cv2.add(window, more, window)
        cv2.subtract(window, less, window)
        return True
