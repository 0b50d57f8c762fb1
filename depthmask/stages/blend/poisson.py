"""Blending by gradients: the cut-out takes on the light of its surroundings."""

from __future__ import annotations

import numpy as np

from depthmask.data import UInt8
from depthmask.stage import setting, stage
from depthmask.stages._nearest import nearest_valid
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.base import Patch
from depthmask.stages.blend.feather import SOLID

_ERODED = 3
"""Pixels that OpenCV takes from the edge of the mask; without them thin legs would vanish."""
_MARGIN = _ERODED + 2
"""Pixels of surroundings beyond the patch."""
WEAKEST = 1 / 3
"""Part of the change that has to be left. The median change is 44 levels among made rooms, 80 among
photographs, and from 25 on people turn to ghosts."""
_LEAST_SOLID = 16
"""Pixels, of which there has to be something to solve for."""


@stage("poisson")
class Poisson(Alpha):
    """Seamless cloning (Perez et al. 2003, https://doi.org/10.1145/882262.882269), by OpenCV.

    The colours of the cut-out are solved for anew, with its own gradients inside and the
    background's at the edge, and then mixed by alpha, so that the mask stays as it is. A change by
    more than `most_change` levels in the mean is weakened to that: the background would bleed
    through. Where it would have to be weakened to less than a third, it would smear: there, and
    for the smallest cut-outs, plain alpha is used, and counted as `blend_fallbacks`.
    """

    most_change: float = setting(
        20.0, ge=0, le=255, help="largest mean change of a colour in the cut-out, levels of 255"
    )

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """As `alpha`, with the colours solved for."""
        rgb = cloned(canvas, patch, top, left)
        change = 0.0 if rgb is None else _change(rgb, patch)
        if rgb is None or change > self.most_change / WEAKEST:
            super().blend(canvas, patch, top, left)
            return False
        if change > self.most_change:
            part = self.most_change / change
            mixed = patch.rgb + part * (rgb.astype(np.float32) - patch.rgb)
            rgb = np.rint(mixed).astype(np.uint8)
        return super().blend(canvas, Patch(rgb, patch.alpha), top, left)


def cloned(canvas: UInt8, patch: Patch, top: int, left: int) -> UInt8 | None:
    """The patch's colours uint8 [h, w, 3] in the light of the canvas; None if it is too small."""
    import cv2

    height, width = patch.alpha.shape
    solid = patch.alpha >= 128
    if np.count_nonzero(solid) < _LEAST_SOLID:
        return None
    # Beyond the canvas's edge are the surroundings within, mirrored.
    framed = cv2.copyMakeBorder(canvas, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REFLECT_101)
    behind = framed[top : top + height + 2 * _MARGIN, left : left + width + 2 * _MARGIN]
    inner = slice(_MARGIN, _MARGIN + height), slice(_MARGIN, _MARGIN + width)
    own, source = np.zeros(behind.shape[:2], bool), np.zeros_like(behind)
    own[inner], source[inner] = solid, patch.rgb
    # The object's colours go on beyond its edge: a step there would count as its own.
    source = nearest_valid(source, own)
    side = 2 * _ERODED + 1
    mask = cv2.dilate(np.where(own, np.uint8(255), np.uint8(0)), np.ones((side, side), np.uint8))
    # OpenCV puts the middle of the mask's box there: it has to stay where it is.
    x, y, wide, high = cv2.boundingRect(mask)
    middle = (x + wide // 2, y + high // 2)
    found = cv2.seamlessClone(source, behind, mask, middle, cv2.NORMAL_CLONE)[inner]
    return np.asarray(np.where(solid[..., None], found, patch.rgb), np.uint8)


def _change(rgb: UInt8, patch: Patch) -> float:
    """Mean change of the solid pixels, in levels."""
    solid = patch.alpha >= SOLID
    if not solid.any():
        return 0.0
    return float(np.abs(rgb[solid].astype(np.int16) - patch.rgb[solid]).mean())
