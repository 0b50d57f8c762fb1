"""Blending by alpha: the plain "over" of Porter and Duff (1984)."""

from __future__ import annotations

from depthmask.data import UInt8
from depthmask.stage import stage
from depthmask.stages.blend.base import Blend, Patch


@stage("alpha")
class Alpha(Blend):
    """Mix by alpha: `rgb * a + canvas * (1 - a)`, rounded to the nearest level."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """Add (rgb - canvas) * a / 255 to the canvas, in bytes.

        The step is the absolute difference times alpha. The result is the median of canvas + step,
        canvas - step and `rgb`, since no step goes beyond `rgb`. OpenCV's product is float32, whose
        error never reaches the next level: no multiple of 1/255 is a tie. This takes half the time
        of OpenCV's `blendLinear` or of NumPy.
        """
        # Imported here, since that takes 0.1 s, which would slow down `--help`.
        import cv2

        height, width = patch.alpha.shape
        window = canvas[top : top + height, left : left + width]
        alpha = cv2.cvtColor(patch.alpha, cv2.COLOR_GRAY2RGB)
        step = cv2.absdiff(patch.rgb, window)
        cv2.multiply(step, alpha, step, 1 / 255)
        up = cv2.add(window, step)
        cv2.min(up, patch.rgb, up)
        cv2.subtract(window, step, step)
        cv2.max(up, step, window)
        return True
