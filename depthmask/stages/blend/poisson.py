"""Blending by gradients, so that the cut-out takes on the light of its surroundings."""

from __future__ import annotations

import numpy as np

from depthmask.data import UInt8
from depthmask.stage import setting, stage
from depthmask.stages._nearest import nearest_valid
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.base import Patch
from depthmask.stages.blend.feather import SOLID

_ERODED = 3
"""Pixels that OpenCV erodes from the mask. It is dilated by as many before, or thin legs vanish."""
_MARGIN = _ERODED + 2
"""Pixels of the canvas around the patch."""
WEAKEST = 1 / 3
"""Least factor to which a change is weakened. The median change is 44 levels in rendered rooms and
80 in photographs; with changes above 25 levels, people look transparent."""
_LEAST_SOLID = 16
"""Least number of solid pixels to solve for."""


@stage("poisson")
class Poisson(Alpha):
    """Seamless cloning (Perez et al. 2003, https://doi.org/10.1145/882262.882269), by OpenCV.

    New colours of the cut-out are solved from its own gradients inside and the background's colours
    at the edge, and are then mixed by alpha, so that the mask does not change. A mean change of
    more than `most_change` levels is weakened to that, or the background would show through. If it
    had to be weakened to less than a third, the result would be smeared: plain alpha is then used,
    as for the smallest cut-outs, and counted as `blend_fallbacks`.
    """

    most_change: float = setting(
        20.0, ge=0, le=255, help="largest mean change of a colour in the cut-out, levels of 255"
    )

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """Blend by alpha, with the solved colours."""
        rgb = cloned(canvas, patch, top, left)
        change = 0.0 if rgb is None else _change(rgb, patch)
        if rgb is None or change > self.most_change / WEAKEST:
            super().blend(canvas, patch, top, left)
            return False
        if change > self.most_change:
            factor = self.most_change / change
            mixed = patch.rgb + factor * (rgb.astype(np.float32) - patch.rgb)
            rgb = np.rint(mixed).astype(np.uint8)
        return super().blend(canvas, Patch(rgb, patch.alpha), top, left)


def cloned(canvas: UInt8, patch: Patch, top: int, left: int) -> UInt8 | None:
    """The colours of the patch, uint8 [h, w, 3], in the light of the canvas; None if too small."""
    import cv2

    height, width = patch.alpha.shape
    solid = patch.alpha >= 128
    if np.count_nonzero(solid) < _LEAST_SOLID:
        return None
    # The canvas is mirrored beyond its edge.
    framed = cv2.copyMakeBorder(canvas, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REFLECT_101)
    behind = framed[top : top + height + 2 * _MARGIN, left : left + width + 2 * _MARGIN]
    inner = slice(_MARGIN, _MARGIN + height), slice(_MARGIN, _MARGIN + width)
    own, source = np.zeros(behind.shape[:2], bool), np.zeros_like(behind)
    own[inner], source[inner] = solid, patch.rgb
    # Extend the colours beyond the edge, where a step would count as a gradient of the cut-out.
    source = nearest_valid(source, own)
    side = 2 * _ERODED + 1
    mask = cv2.dilate(np.where(own, np.uint8(255), np.uint8(0)), np.ones((side, side), np.uint8))
    # OpenCV centres the box of the mask on this point; the patch must not move.
    x, y, wide, high = cv2.boundingRect(mask)
    middle = (x + wide // 2, y + high // 2)
    colours = cv2.seamlessClone(source, behind, mask, middle, cv2.NORMAL_CLONE)[inner]
    return np.asarray(np.where(solid[..., None], colours, patch.rgb), np.uint8)


def _change(rgb: UInt8, patch: Patch) -> float:
    """The mean change of the solid pixels, in levels."""
    solid = patch.alpha >= SOLID
    if not solid.any():
        return 0.0
    return float(np.abs(rgb[solid].astype(np.int16) - patch.rgb[solid]).mean())
