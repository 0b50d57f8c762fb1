"""Blending with softer edges and without the colours of the cut-out's old background."""

from __future__ import annotations

import numpy as np

from depthmask.data import UInt8
from depthmask.stage import setting, stage
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.base import Patch

SOLID = 250
"""Least alpha of a pixel that shows the object alone."""
_FAINTEST = 1e-4
"""Weight of solid pixels below which none is near enough to lend its colour."""


@stage("feather")
class Feather(Alpha):
    """Alpha blending after the edge was mended: no light rim, no hard step.

    A soft pixel of a cut-out holds the object's colour mixed with what once was behind it; over a
    darker background that shows as a light fringe. Its colour is replaced by that of the solid
    pixels nearby, weighted by a Gaussian ("normalized convolution", Knutsson and Westin 1993,
    https://doi.org/10.1109/CVPR.1993.341081). `softness` blurs the alpha of the picture alone; the
    mask stays as it is.
    """

    softness: float = setting(0.5, ge=0, le=10, help="blur of the edge in the picture, pixels")
    reach: float = setting(
        2.0, ge=0, le=20, help="how far solid pixels lend their colour, pixels; 0: not at all"
    )

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """As `alpha`, with the mended patch."""
        rgb = decontaminated(patch.rgb, patch.alpha, self.reach) if self.reach else patch.rgb
        return super().blend(canvas, Patch(rgb, self._softened(patch.alpha)), top, left)

    def _softened(self, alpha: UInt8) -> UInt8:
        import cv2

        if not self.softness:
            return alpha
        # A patch may end at the canvas's edge, where the object does not.
        return np.asarray(
            cv2.GaussianBlur(alpha, (0, 0), self.softness, borderType=cv2.BORDER_REPLICATE),
            np.uint8,
        )


def decontaminated(rgb: UInt8, alpha: UInt8, reach: float) -> UInt8:
    """uint8 [h, w, 3] with the colours of solid pixels in place of soft ones.

    Pixels too far from any solid one keep theirs.
    """
    import cv2

    solid = (alpha >= SOLID).astype(np.float32)
    weight = cv2.GaussianBlur(solid, (0, 0), reach)
    colours = cv2.GaussianBlur(rgb * solid[..., None], (0, 0), reach)
    mended = (solid == 0) & (weight > _FAINTEST)
    lent = np.rint(colours[mended] / weight[mended][:, None])
    result = rgb.copy()
    result[mended] = lent.astype(np.uint8)
    return result
