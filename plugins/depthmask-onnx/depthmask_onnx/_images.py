"""Converts images to the input of a model, and its output to depth maps."""

from __future__ import annotations

from enum import Enum
from math import ceil, floor
from typing import Any

import numpy as np
from depthmask import Float32, Size, UInt8
from numpy.typing import NDArray
from PIL import Image


class Fit(Enum):
    """How images are resized for the network, with the names of CSS's `object-fit`."""

    stretch = "stretch"
    """Resize to exactly that size."""
    cover = "cover"
    """Keep the aspect; neither side is shorter (`lower_bound` in MiDaS's code)."""
    contain = "contain"
    """Keep the aspect; neither side is longer (`upper_bound` in MiDaS's code)."""


class Filter(Enum):
    """How images are resampled, by Pillow's antialiasing filters."""

    bilinear = "bilinear"
    bicubic = "bicubic"


FILTERS = {
    Filter.bilinear: Image.Resampling.BILINEAR,
    Filter.bicubic: Image.Resampling.BICUBIC,
}


def fitted(image: Size, target: Size, fit: Fit, multiple: int) -> Size:
    """The size for the network, whose sides are multiples of `multiple`.

    If the aspect is kept, sides are rounded to the nearest multiple unless that breaks the bound,
    as by `Resize.get_size` of MiDaS and Depth Anything.
    https://github.com/isl-org/MiDaS/blob/master/midas/transforms.py
    """
    if fit is Fit.stretch:
        height, width = (ceil(side / multiple) * multiple for side in target)
        return height, width
    scales = [bound / side for bound, side in zip(target, image, strict=True)]
    scale = max(scales) if fit is Fit.cover else min(scales)
    height, width = (
        _rounded(side * scale, bound, fit, multiple)
        for side, bound in zip(image, target, strict=True)
    )
    return height, width


def _rounded(side: float, bound: int, fit: Fit, multiple: int) -> int:
    nearest = round(side / multiple) * multiple
    if fit is Fit.cover and nearest < bound:
        nearest = ceil(side / multiple) * multiple
    if fit is Fit.contain and nearest > bound:
        nearest = floor(side / multiple) * multiple
    return max(nearest, multiple)


def normalized(image: UInt8, white: float, mean: list[float], std: list[float]) -> Float32:
    """uint8 [h, w, 3] RGB -> float32 [h, w, 3], (rgb * white / 255 - mean) / std."""
    rgb = image.astype(np.float32) / np.float32(255 / white)
    rgb -= np.array(mean, np.float32)
    rgb /= np.array(std, np.float32)
    return rgb


def to_maps(raw: NDArray[Any]) -> NDArray[Any] | None:
    """[n, 1, h, w], [n, h, w, 1] or [n, h, w] -> [n, h, w]; None for any other shape."""
    if raw.ndim == 4 and 1 in (raw.shape[1], raw.shape[3]):
        raw = raw[:, 0] if raw.shape[1] == 1 else raw[..., 0]
    return raw if raw.ndim == 3 and raw.size and raw.dtype.kind == "f" else None
