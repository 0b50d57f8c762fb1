"""Draws the legend of coloured depth maps: a bar with round numbers."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from depthmask.data import DepthContract, Float32
from depthmask.reports.colormap import colour
from depthmask.reports.units import depth_title

_WIDTH, _HEIGHT = 640, 132
_LEFT, _TOP, _BAR_WIDTH, _BAR_HEIGHT = 28, 50, 480, 28
_BACKGROUND_COLOUR, _TEXT_COLOUR = (255, 255, 255), (50, 50, 50)
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def legend(near: float, far: float, contract: DepthContract) -> Image.Image:
    """A picture of the colour scale that `colour(depth, near, far)` uses."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _BACKGROUND_COLOUR)
    draw = ImageDraw.Draw(image)
    title = f"{depth_title(contract)} by {contract.estimator}"
    draw.text((_LEFT, 14), title, fill=_TEXT_COLOUR, font=ImageFont.load_default(17))
    image.paste(
        _bar(np.linspace(near, far, _BAR_WIDTH, dtype=np.float32), near, far), (_LEFT, _TOP)
    )
    font, below = ImageFont.load_default(15), _TOP + _BAR_HEIGHT
    for value in ticks(min(near, far), max(near, far)):
        x = _LEFT + round((value - near) / (far - near) * (_BAR_WIDTH - 1))
        draw.line([(x, below), (x, below + 6)], fill=_TEXT_COLOUR)
        draw.text((x, below + 10), f"{value:g}", fill=_TEXT_COLOUR, font=font, anchor="mt")
    invalid = _LEFT + _BAR_WIDTH + 44
    image.paste(_bar(np.zeros(40, np.float32), near, far), (invalid, _TOP))
    draw.text((invalid + 20, below + 10), "no depth", fill=_TEXT_COLOUR, font=font, anchor="mt")
    return image


def ticks(least: float, greatest: float) -> list[float]:
    """Four to nine round numbers within a range."""
    rough = (greatest - least) / 8
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * step for step in _STEPS if power * step >= rough * (1 - 1e-9))
    first, last = math.ceil(least / step - 1e-9), math.floor(greatest / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _bar(values: Float32, near: float, far: float) -> Image.Image:
    return Image.fromarray(colour(values[None].repeat(_BAR_HEIGHT, 0), near, far))
