"""The colours of a cut-out moved towards those of its surroundings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthmask.data import UInt8
from depthmask.stages.blend.base import Patch

_SPREAD = 0.5, 2.0
"""Least and greatest factor for contrast: a gray wall must not take all of it."""
_AROUND = 0.5
"""How far the surroundings reach beyond the patch, by its size."""


def matched(canvas: UInt8, patch: Patch, top: int, left: int, amount: float) -> Patch:
    """The patch in the light of the canvas in and around it, by `amount` (0..1).

    Mean and standard deviation of its lightness move to those there, after Reinhard et al. 2001,
    "Color transfer between images" (https://doi.org/10.1109/38.946629), in Lab. Its hue is its own:
    a and b shift by half of their mean there, as by coloured light; moved as lightness is, a plant
    before a gray wall turns gray.
    """
    import cv2

    solid = patch.alpha >= 128
    if not solid.any():
        return patch
    own = cv2.cvtColor(patch.rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness, there = own[..., 0], _surroundings(canvas, patch, top, left)
    mean, spread = float(lightness[solid].mean()), float(lightness[solid].std())
    ratio = float(there[:, 0].std()) / max(spread, 1.0)
    factor = 1 + amount * (min(max(ratio, _SPREAD[0]), _SPREAD[1]) - 1)
    moved = own.copy()
    moved[..., 0] = (lightness - mean) * factor + mean
    moved += amount * (there.mean(axis=0) * [1, 0.5, 0.5] - [mean, 0, 0]).astype(np.float32)
    rgb = cv2.cvtColor(moved, cv2.COLOR_LAB2RGB)
    return Patch(np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8), patch.alpha)


def _surroundings(canvas: UInt8, patch: Patch, top: int, left: int) -> NDArray[np.float32]:
    """Lab [n, 3]."""
    import cv2

    height, width = patch.alpha.shape
    down, across = round(height * _AROUND), round(width * _AROUND)
    part = canvas[
        max(0, top - down) : top + height + down, max(0, left - across) : left + width + across
    ]
    lab = cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(lab.reshape(-1, 3), np.float32)
