"""Blending with soft edges, without the colours of the cut-out's former background."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depthmask.data import UInt8
from depthmask.kernels.blurring import blurred
from depthmask.kernels.mending import mended
from depthmask.stage import setting, stage
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.base import Patch

SOLID = 250
"""Least alpha of a pixel that shows only the foreground itself."""
_FAINTEST = 1e-4
"""Least weight of nearby solid pixels for a soft pixel to take their colour."""
_UNIT = 1 << 22
"""About the sum of a row of weights; 255 times its square is less than 2**53."""


@stage("feather")
class Feather(Alpha):
    """Alpha blending with corrected edges: no light rim, no hard step.

    A soft pixel of a cut-out mixes the object's colour with that of its former background; on a
    darker background that shows as a light fringe. Its colour is replaced by that of the solid
    pixels nearby, weighted by a Gaussian ("normalized convolution", Knutsson and Westin 1993,
    https://doi.org/10.1109/CVPR.1993.341081), once for each cut-out, before it is scaled.
    At scales of 0.3 to 1, the mean error in the rim of a cut-out from white falls by 60 to 70 %.
    `softness` blurs the alpha in the image only; the mask does not change.
    """

    pixel_version = 3
    softness: float = setting(0.5, ge=0, le=10, help="blur of the edge in the image, pixels")
    reach: float = setting(
        2.0,
        ge=0,
        le=20,
        help="how far solid pixels pass on their colour, pixels of a cut-out; 0: not",
    )

    def mended(self, rgba: UInt8) -> UInt8:
        """The colours without those of the former background."""
        return decontaminated(rgba, self.reach) if self.reach else rgba[..., :3]

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """Blend by alpha, with softened alpha."""
        # Repeated beyond the border, since the edge of the canvas may cut off a patch.
        alpha = blurred(patch.alpha, self.softness) if self.softness else patch.alpha
        return super().blend(canvas, Patch(patch.rgb, alpha), top, left)


def decontaminated(rgba: UInt8, reach: float) -> UInt8:
    """The colours [h, w, 3] of uint8 [h, w, 4], with those of nearby solid pixels at soft pixels.

    Soft pixels that are too far from solid ones keep their colours.
    """
    return mended(rgba, SOLID, _taps(reach), _FAINTEST * _UNIT**2)


def _taps(sigma: float) -> NDArray[np.float64]:
    """A Gaussian over four standard deviations on either side, in whole numbers."""
    reach = math.ceil(4 * sigma)
    steps = [place / sigma for place in range(-reach, reach + 1)]
    weights = [math.exp(-step * step / 2) for step in steps]
    return np.rint(np.array(weights) * (_UNIT / sum(weights)))
