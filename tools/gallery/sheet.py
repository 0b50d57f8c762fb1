"""Draws panels in rows and columns, with heads and with the scale of the depth colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from depthmask.reports.preview import BACKGROUND_COLOUR, TEXT_COLOUR, draw_legend

_GAP = 8
_MARGIN = 16
_CLOSER = 4
"""How far heads reach into the margin."""
FONT_SIZE = 26
"""Twice the size at which it is read, as all pixels: pages show pictures at half their width."""


@dataclass(frozen=True)
class DepthScale:
    """The depths at the ends of the colour scale."""

    near: float
    far: float
    unit: str


def sheet(
    panels: Sequence[Sequence[Image.Image]],
    row_heads: Sequence[str] = (),
    column_heads: Sequence[str] = (),
    scale: DepthScale | None = None,
    font_size: int = FONT_SIZE,
) -> Image.Image:
    """The picture: panels [row][column] of one size, row heads at the left, the scale below."""
    (width, height), strip = panels[0][0].size, font_size * 3 // 2
    left = _MARGIN + (strip if row_heads else 0)
    top = _MARGIN + (strip if column_heads else 0)
    right = left + len(panels[0]) * (width + _GAP) - _GAP
    bottom = top + len(panels) * (height + _GAP) - _GAP
    size = right + _MARGIN, bottom + _MARGIN + (strip if scale else 0)
    picture = Image.new("RGB", size, BACKGROUND_COLOUR)
    for row, line in enumerate(panels):
        for column, panel in enumerate(line):
            picture.paste(panel, (left + column * (width + _GAP), top + row * (height + _GAP)))
    for column, head in enumerate(column_heads):
        centre = left + column * (width + _GAP) + width // 2
        label = _label(head, font_size)
        picture.paste(label, (centre - label.width // 2, _MARGIN - _CLOSER))
    for row, head in enumerate(row_heads):
        centre = top + row * (height + _GAP) + height // 2
        label = _label(head, font_size).rotate(90, expand=True)
        picture.paste(label, (_MARGIN - _CLOSER, centre - label.height // 2))
    if scale:
        corner = right, bottom + strip // 3
        draw_legend(picture, corner, scale.near, scale.far, scale.unit, font_size)
    return picture


def _label(text: str, font_size: int) -> Image.Image:
    font, height = ImageFont.load_default(font_size), font_size * 3 // 2
    label = Image.new("RGB", (round(font.getlength(text)) + 4, height), BACKGROUND_COLOUR)
    middle = label.width // 2, height // 2
    ImageDraw.Draw(label).text(middle, text, fill=TEXT_COLOUR, font=font, anchor="mm")
    return label
