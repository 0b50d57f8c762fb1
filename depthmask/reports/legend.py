"""The legend of coloured depth maps: a bar with round numbers on it."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from depthmask.data import DepthContract, DepthKind, Float32
from depthmask.reports.colormap import colour

_WIDTH, _HEIGHT = 640, 132
_LEFT, _TOP, _BAR_WIDTH, _BAR_HEIGHT = 28, 50, 480, 28
_PAPER, _INK = (255, 255, 255), (50, 50, 50)
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_WORDS = {
    DepthKind.metric_z: "depth",
    DepthKind.relative: "relative depth",
    DepthKind.disparity: "disparity",
}


def legend(near: float, far: float, contract: DepthContract) -> Image.Image:
    """A picture of the colour scale of `colour(depth, near, far)`."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    title = f"{_WORDS[contract.kind]} [{contract.unit}] by {contract.estimator}"
    draw.text((_LEFT, 14), title, fill=_INK, font=ImageFont.load_default(17))
    image.paste(
        _bar(np.linspace(near, far, _BAR_WIDTH, dtype=np.float32), near, far), (_LEFT, _TOP)
    )
    font, below = ImageFont.load_default(15), _TOP + _BAR_HEIGHT
    for value in ticks(min(near, far), max(near, far)):
        x = _LEFT + round((value - near) / (far - near) * (_BAR_WIDTH - 1))
        draw.line([(x, below), (x, below + 6)], fill=_INK)
        draw.text((x, below + 10), f"{value:g}", fill=_INK, font=font, anchor="mt")
    invalid = _LEFT + _BAR_WIDTH + 44
    image.paste(_bar(np.zeros(40, np.float32), near, far), (invalid, _TOP))
    draw.text((invalid + 20, below + 10), "no depth", fill=_INK, font=font, anchor="mt")
    return image


def ticks(least: float, greatest: float) -> list[float]:
    """Four to nine round numbers within a range."""
    rough = (greatest - least) / 8
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in _STEPS if power * one >= rough * (1 - 1e-9))
    first, last = math.ceil(least / step - 1e-9), math.floor(greatest / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _bar(values: Float32, near: float, far: float) -> Image.Image:
    return Image.fromarray(colour(values[None].repeat(_BAR_HEIGHT, 0), near, far))
