"""From linear light to bytes: a film curve, a vignette and grain.

Gamma is a square root throughout: unlike powers, it is the same on every processor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32, UInt8
from depthmask.kernels.compiled import Floats, native
from depthmask.kernels.extremes import lesser, within

_VIGNETTE = np.float32(0.28)
"""How much darker a corner is than the middle, for each half of the square of its distance."""
_SPREAD = 147.8
"""Deviation of the sum of four random bytes, which is nearly normal, from its mean of 510."""


def developed(light: Float32, factor: float) -> Float32:
    """The display values 0..1 of linear light, by Reinhard's curve with white at 4.

    Photographic tone reproduction for digital images, 2002, equation 4, with a little contrast
    around the middle.
    """
    values = np.empty(light.shape, np.float32)
    if native is None:
        _develop(light, np.float32(factor), values)
    else:
        native.developed(np.ascontiguousarray(light), factor, values)
    return values


def printed(values: Float32, noise: NDArray[np.uint32], deviation: float) -> UInt8:
    """The photograph uint8 [h, w, 3] of display values [3, h, w], with vignette and grain.

    noise: random numbers [3, h, w]. deviation: of the grain, in display values.
    """
    down, across = (
        ((np.arange(count, dtype=np.float32) + 0.5) / count - 0.5) ** 2
        for count in values.shape[1:]
    )
    grain = np.float32(deviation / _SPREAD)
    image = np.empty((*values.shape[1:], 3), np.uint8)
    if native is None:
        _print(values, noise, across, down, grain, image)
    else:
        native.printed(np.ascontiguousarray(values), noise, across, down, float(grain), image)
    return image


def to_bytes(values: Floats) -> UInt8:
    """Values 0..1 as bytes 0..255."""
    return np.ascontiguousarray((within(values) * 255 + 0.5).astype(np.uint8))


def _develop(light: Float32, factor: np.float32, values: Float32) -> None:
    value = light * factor
    value = value * ((1 + value * np.float32(0.0625)) / (1 + value))
    value = np.sqrt(lesser(value, np.float32(1)))
    values[:] = value + np.float32(0.28) * (value * value * (3 - 2 * value) - value)


def _print(
    values: Float32,
    noise: NDArray[np.uint32],
    across: Float32,
    down: Float32,
    grain: np.float32,
    image: UInt8,
) -> None:
    total = (noise & 255) + (noise >> 8 & 255) + (noise >> 16 & 255) + (noise >> 24)
    value = values * (1 - _VIGNETTE * (across + down[:, None]))
    value = value + grain * (total.astype(np.int32) - 510).astype(np.float32)
    image[:] = to_bytes(value.transpose(1, 2, 0))
