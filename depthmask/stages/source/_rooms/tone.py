"""Exposure, and the noise of the sensor."""

from __future__ import annotations

import numpy as np

from depthmask.data import Float32, UInt8
from depthmask.kernels.film import printed

GRAIN = 0.006
"""Deviation of the noise, in display values."""


def exposure(radiance: Float32, target: float) -> float:
    """The factor that brings the typical light of an image [3, n] to `target`."""
    grey = radiance[0] * 0.25 + radiance[1] * 0.6 + radiance[2] * 0.15
    typical = float(np.sqrt(grey).mean())
    # Rounded, so that the last bit of a sum does not change pixels.
    return float(f"{target / max(typical * typical, 1e-4):.3g}")


def finished(values: Float32, rng: np.random.Generator) -> UInt8:
    """The photograph uint8 [h, w, 3] of display values [3, h, w], with vignette and noise."""
    noise = rng.integers(0, 1 << 32, values.shape, dtype=np.uint32)
    return printed(values, noise, GRAIN)
