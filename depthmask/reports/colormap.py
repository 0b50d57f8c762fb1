"""Colours for depth maps."""

from __future__ import annotations

import numpy as np

from depthmask.data import Float32, UInt8

# Polynomial fit of Turbo by A. Mikhailov (Google), Apache-2.0:
# https://gist.github.com/mikhailov-work/0d177465a8151eb6ede1768d51d476c7
_TURBO = np.array(
    [
        [0.13572138, 4.61539260, -42.66032258, 132.13108234, -152.94239396, 59.28637943],
        [0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604],
        [0.10667330, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973],
    ]
)
_INVALID = 64
"""The grey level of pixels without depth."""


def colour(depth: Float32, near: float, far: float) -> UInt8:
    """float32 [h, w] -> uint8 [h, w, 3]: near is red, far is blue, invalid (0) is dark grey.

    near, far: the values at the ends of the scale; for disparity near is the larger one.
    """
    position = 1 - np.clip((depth - near) / (far - near or 1e-9), 0, 1)
    powers = position[..., None] ** np.arange(6)
    rgb = np.clip(powers @ _TURBO.T, 0, 1) * 255
    rgb[depth == 0] = _INVALID
    return rgb.round().astype(np.uint8)
