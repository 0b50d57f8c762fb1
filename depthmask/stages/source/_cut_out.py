"""Trims and scales cut-outs for a canvas."""

from __future__ import annotations

from PIL import Image

from depthmask.data import Size, UInt8
from depthmask.kernels.resampling import resample_rgba
from depthmask.stages.source._alpha import Box, visible_box


def scaled_cut_out(rgba: UInt8, scale: float, size: Size) -> tuple[UInt8, Box]:
    """A cut-out uint8 [h, w, 4], trimmed to what shows and scaled for a canvas of `size`.

    scale: its long side relative to the shorter side of the canvas. Some alpha has to be above 16
    of 255. Returns it with its box in the pixels of `rgba`: left, top, right, bottom.
    """
    box = visible_box(Image.fromarray(rgba[..., 3]))
    trimmed = rgba[box[1] : box[3], box[0] : box[2]]
    height, width = trimmed.shape[:2]
    factor = scale * min(size) / max(height, width)
    target = (max(1, round(height * factor)), max(1, round(width * factor)))
    return (trimmed if target == (height, width) else resample_rgba(trimmed, target)), box
