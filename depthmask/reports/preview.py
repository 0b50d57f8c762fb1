"""Draws the contact sheet `preview.jpg`: image, mask and depth of some samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from depthmask.data import DepthContract, DepthKind, Float32, Sample, UInt8
from depthmask.reports.colormap import colour

Pixels = TypeVar("Pixels", UInt8, Float32)

SAMPLES = 24
"""The most samples on the contact sheet."""
_MOST_SIDE = 1024
"""From twice as many pixels on, pictures are thinned."""
_COLUMNS = 4
_GAP = 12
_MARGIN = 24
_TILE_HEIGHT = 160
_MOST_TILE_WIDTH = 640
"""The most pixels of the width of a picture where sizes differ; a tile has three pictures."""
_MOST_SHEET_WIDTH = 12 << 12
"""About the most pixels of the width of a sheet; a JPEG has at most 65,500."""
_LINE_HEIGHT = 26
_LEGEND_WIDTH = 340
"""The width of the legend with both numbers, and a gap between it and the title."""
BACKGROUND_COLOUR = (250, 250, 248)
TEXT_COLOUR = (60, 60, 60)


def contact_sheet(
    samples: Sequence[Sample], title: str, contract: DepthContract | None = None
) -> Image.Image:
    """The contact sheet: a tile for each sample, and one colour scale for all depth maps."""
    near, far = colour_scale(samples, contract)
    # Beside a panorama, other photographs would be lost.
    has_one_size = len({sample.size for sample in samples}) == 1
    columns = min(_COLUMNS, len(samples))
    most_width = _MOST_SHEET_WIDTH // (3 * columns) if has_one_size else _MOST_TILE_WIDTH
    # The masks of photographs without foregrounds are black.
    has_masks = any(sample.depth is None or sample.mask.any() for sample in samples)
    tiles = [_tile(sample, near, far, most_width, has_mask=has_masks) for sample in samples]
    height, rows = max(tile.height for tile in tiles), -(-len(tiles) // _COLUMNS)
    widths = [max(tile.width for tile in tiles[column::_COLUMNS]) for column in range(columns)]
    font = ImageFont.load_default(16)
    whole_width = 2 * _MARGIN + sum(width + _GAP for width in widths) - _GAP
    # The legend is beside the title, or below it if the sheet is narrow.
    has_legend = far != near
    is_narrow = font.getlength(title) + _LEGEND_WIDTH > whole_width - 2 * _MARGIN
    legend_top = _MARGIN + _LINE_HEIGHT if has_legend and is_narrow else _MARGIN
    first = legend_top + _MARGIN + 12
    whole_height = first + rows * (height + _GAP) - _GAP + _MARGIN
    sheet = Image.new("RGB", (whole_width, whole_height), BACKGROUND_COLOUR)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, _COLUMNS)
        left = _MARGIN + sum(width + _GAP for width in widths[:column])
        sheet.paste(tile, (left, first + row * (height + _GAP)))
    ImageDraw.Draw(sheet).text((_MARGIN, _MARGIN), title, fill=TEXT_COLOUR, font=font)
    if has_legend:
        unit = contract.unit if contract else ""
        draw_legend(sheet, (sheet.width - _MARGIN, legend_top), near, far, unit)
    return sheet


def colour_scale(samples: Sequence[Sample], contract: DepthContract | None) -> tuple[float, float]:
    """The depths at the near and the far end of the colours; for disparity near is larger."""
    least, greatest = depth_range(samples)
    if contract is not None and contract.kind is DepthKind.disparity:
        return greatest, least
    return least, greatest


def depth_range(samples: Sequence[Sample]) -> tuple[float, float]:
    """The 1st and 99th percentile of depth, so that a far corner does not take most colours."""
    maps = [_thinned(sample.depth) for sample in samples if sample.depth is not None]
    values = [depth[depth > 0] for depth in maps]
    if not any(map(len, values)):
        return 0.0, 0.0
    near, far = np.percentile(np.concatenate(values), (1, 99))
    return float(near), float(far)


def thinned(sample: Sample) -> Sample:
    """The sample with every k-th pixel if it is large: 24 photographs would fill the memory."""
    depth = None if sample.depth is None else _thinned(sample.depth)
    image, mask = _thinned(sample.image), _thinned(sample.mask)
    return Sample(sample.key, image, mask, instances=None, depth=depth, meta=sample.meta)


def _thinned(pixels: Pixels) -> Pixels:
    stride = max(1, max(pixels.shape[:2]) // _MOST_SIDE)
    return pixels if stride == 1 else pixels[::stride, ::stride].copy()


def _tile(
    sample: Sample, near: float, far: float, most_width: float, *, has_mask: bool
) -> Image.Image:
    pictures = [Image.fromarray(sample.image)]
    if has_mask:
        pictures.append(Image.fromarray(sample.mask).convert("RGB"))
    if sample.depth is not None:
        pictures.append(Image.fromarray(colour(sample.depth, near, far)))
    height, width = sample.size
    scale = min(_TILE_HEIGHT / height, most_width / width)
    height, width = max(1, round(scale * height)), max(1, round(scale * width))
    tile = Image.new("RGB", (width * len(pictures), height))
    for number, picture in enumerate(pictures):
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        tile.paste(picture, (number * width, 0))
    return tile


def draw_legend(
    sheet: Image.Image,
    right_top: tuple[int, int],
    near: float,
    far: float,
    unit: str,
    font_size: int = 14,
) -> None:
    """Draw a colour bar, with the depths at its ends, to the left of a point of the sheet."""
    right, top = right_top
    height, width, gap = font_size, 200 * font_size // 14, 8 * font_size // 14
    bar = colour(np.linspace(near, far, width, dtype=np.float32)[None].repeat(height, 0), near, far)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(font_size)
    right_text = f"{far:.1f} {unit}".rstrip()
    right -= round(draw.textlength(right_text, font=font))
    left = right - gap - width
    sheet.paste(Image.fromarray(bar), (left, top + font_size // 7))
    draw.text((right, top), right_text, fill=TEXT_COLOUR, font=font)
    left_text = f"{near:.1f} {unit}".rstrip()
    left_end = left - gap - draw.textlength(left_text, font=font)
    draw.text((left_end, top), left_text, fill=TEXT_COLOUR, font=font)
