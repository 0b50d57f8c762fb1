"""Generated rooms whose furniture has the faults of cut-outs that come from photographs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from depthmask.data import Foreground, Size, UInt8
from depthmask.stage import setting, settings
from depthmask.stages.source.rooms import Rooms

_WHITE = 255


@settings
class Photographed(Rooms):
    """Rooms, with furniture that was photographed elsewhere and cut out."""

    rim: float = setting(
        0.0, ge=0, help="blur of the cut, relative to the long side; its edge shows a white wall"
    )
    light: float = setting(1.0, gt=0, le=1, help="brightness of the photograph")
    knows_heights: bool = setting(True, help="whether the height of each cut-out is known")

    def foreground(self, key: str, size: Size) -> Foreground:
        """The piece of furniture with these faults, without relief."""
        foreground = super().foreground(key, size)
        rgba = foreground.rgba
        if self.rim:
            rgba = _cut_out(rgba, self.rim * max(foreground.size))
        if self.light < 1:
            rgba = _darkened(rgba, self.light)
        height_m = foreground.height_m if self.knows_heights else None
        return replace(foreground, rgba=rgba, relief_m=None, height_m=height_m)


def _cut_out(rgba: UInt8, blur: float) -> UInt8:
    """A photograph in front of white, with a soft alpha that keeps some of the white."""
    import cv2

    # The foot stays in the last row, where it stands on the floor.
    beside = round(3 * blur)
    rgba = np.pad(rgba, ((beside, 0), (beside, beside), (0, 0)))
    alpha = rgba[..., 3:].astype(np.float32) / 255
    photograph = rgba[..., :3] * alpha + _WHITE * (1 - alpha)
    soft = cv2.GaussianBlur(rgba[..., 3], (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
    return np.dstack([np.rint(photograph), np.maximum(soft, rgba[..., 3])]).astype(np.uint8)


def _darkened(rgba: UInt8, light: float) -> UInt8:
    result = rgba.copy()
    result[..., :3] = np.rint(rgba[..., :3] * light)
    return result
