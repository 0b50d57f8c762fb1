"""One panel of a picture: an aspect of a sample as RGB pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from depthmask.data import Sample
from depthmask.reports.colormap import colour
from tools.gallery.sheet import DepthScale

_CLOSE_UP = 3
"""The factor by which a close-up is larger."""


def panel(sample: Sample, kind: str, scale: DepthScale | None, width: int) -> Image.Image:
    """`image`, `mask` or `depth` of a sample, or the `close-up` of one, `width` pixels wide."""
    plain = kind.removesuffix("close-up").strip() or "image"
    picture = _PLAIN[plain](sample, scale)
    height = round(width * picture.height / picture.width)
    box = (0, 0, *picture.size) if plain == kind else _close_up(sample)
    return picture.resize((width, height), Image.Resampling.LANCZOS, box)


def _depth(sample: Sample, scale: DepthScale | None) -> Image.Image:
    assert sample.depth is not None, "pictures with depth have settings with depth"
    assert scale is not None, "there is depth"
    depth = Image.fromarray(colour(sample.depth, scale.near, scale.far))
    height, width = sample.size
    return depth.resize((width, height), Image.Resampling.NEAREST)  # networks have their own size


_PLAIN: dict[str, Callable[[Sample, DepthScale | None], Image.Image]] = {
    "image": lambda sample, scale: Image.fromarray(sample.image),
    "mask": lambda sample, scale: Image.fromarray(sample.mask).convert("RGB"),
    "depth": _depth,
}


def _close_up(sample: Sample) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) around the lower half of the layer of which most is visible."""
    layer = max(sample.meta["layers"], key=_visible_pixels)
    top, left, box_height, box_width = layer["box"]
    (height, width), middle = sample.size, left + box_width // 2
    high, wide = height // _CLOSE_UP, width // _CLOSE_UP
    first_row = min(max(top + box_height * 5 // 8 - high // 2, 0), height - high)
    first_column = min(max(middle - wide // 2, 0), width - wide)
    return first_column, first_row, first_column + wide, first_row + high


def _visible_pixels(layer: Mapping[str, Any]) -> float:
    return float(layer["visible"] * layer["box"][2] * layer["box"][3])
