"""Blending by alpha: the plain "over" of Porter and Duff (1984)."""

from __future__ import annotations

from depthmask.data import UInt8
from depthmask.kernels.blending import blend_alpha
from depthmask.stage import stage
from depthmask.stages.blend.base import Blend, Patch


@stage("alpha")
class Alpha(Blend):
    """Mix by alpha: `rgb * a + canvas * (1 - a)`, rounded to the nearest level."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """Add (rgb - canvas) * a / 255 to the canvas, in bytes."""
        height, width = patch.alpha.shape
        window = canvas[top : top + height, left : left + width]
        blend_alpha(window, patch.rgb, patch.alpha)
        return True
