"""Turns linear light into an image: exposure, film curve, vignette, sensor noise, 8 bits.

Gamma is a square root throughout: unlike powers, it is the same on every CPU.
"""

from __future__ import annotations

import numpy as np

from depthmask.data import UInt8
from depthmask.stages.source._rooms.solids import Floats

WHITE = 4.0


def exposure(radiance: Floats, target: float) -> float:
    """The factor that brings the typical light of an image [3, n] to `target`."""
    grey = radiance[0] * 0.25 + radiance[1] * 0.6 + radiance[2] * 0.15
    # Rounded, so that the last bit of a sum does not change pixels.
    return float(f"{target / max(float(np.sqrt(grey).mean()) ** 2, 1e-4):.3g}")


def developed(radiance: Floats, factor: float) -> Floats:
    """The display values 0..1 of linear light, by Reinhard's curve with white at 4."""
    light = radiance * np.float32(factor)
    light *= (1 + light * np.float32(1 / WHITE**2)) / (1 + light)
    value = np.sqrt(np.minimum(light, 1))
    # A little contrast around the middle.
    return np.asarray(value + np.float32(0.28) * (value * value * (3 - 2 * value) - value))


def averaged(values: Floats, oversample: int) -> Floats:
    """The means [..., h, w] of blocks of oversample x oversample rays [..., h * o, w * o]."""
    total = values[..., ::oversample, ::oversample].copy()
    for ray in range(1, oversample**2):
        total += values[..., ray // oversample :: oversample, ray % oversample :: oversample]
    return np.asarray(total / np.float32(oversample**2))


def finished(values: Floats, rng: np.random.Generator) -> UInt8:
    """The photograph uint8 [h, w, 3] of display values [3, h, w], with vignette and noise."""
    height, width = values.shape[1:]
    y = (np.arange(height, dtype=np.float32) + 0.5) / height - 0.5
    x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
    values = values * (1 - np.float32(0.28) * (x * x + (y * y)[:, None]))
    grain = rng.standard_normal((3, height, width), dtype=np.float32)
    values = values + np.float32(0.006) * grain
    return to_bytes(values.transpose(1, 2, 0))


def to_bytes(values: Floats) -> UInt8:
    """Values 0..1 as bytes 0..255."""
    return np.ascontiguousarray((np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8))
