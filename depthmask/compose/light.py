"""The light of a scene on its layers: colours that match the surroundings, and a soft shadow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Background, Float32, Layer, Rows, UInt8
from depthmask.stages.blend.base import Patch

_CONTRAST = 0.5, 2.0
"""Least and greatest factor of contrast: in front of a grey wall, a layer keeps some of its own."""
_AROUND = 0.5
"""How far the surroundings reach beyond the patch, relative to its size."""
SHADOW_DEPTH = 0.45
"""Depth of a shadow relative to its width, since furniture is wider than it is deep."""
_REACH = 2.0
"""How far a shadow reaches, in half widths of the layer; beyond that, it is below exp(-8)."""
_OFF_FLOOR = 0.01, 0.08
"""How far from the floor a pixel may lie, relative to the camera's height: with known depth, and
with depth from a network."""


def match_colours(canvas: UInt8, patch: Patch, top: int, left: int, amount: float) -> Patch:
    """The patch with its colours matched, by `amount` (0..1), to the canvas in and around it.

    Mean and standard deviation of its lightness are moved to those of the surroundings, in Lab,
    after Reinhard et al. 2001, "Color transfer between images" (https://doi.org/10.1109/38.946629).
    The hue is kept: a and b shift by half of their mean in the surroundings, as under coloured
    light. If they moved as lightness does, a plant in front of a grey wall would turn grey.
    """
    import cv2

    solid = patch.alpha >= 128
    if not solid.any():
        return patch
    own = cv2.cvtColor(patch.rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness, surroundings = own[..., 0], _surroundings(canvas, patch, top, left)
    mean, deviation = float(lightness[solid].mean()), float(lightness[solid].std())
    ratio = float(surroundings[:, 0].std()) / max(deviation, 1.0)
    factor = 1 + amount * (min(max(ratio, _CONTRAST[0]), _CONTRAST[1]) - 1)
    moved = own.copy()
    moved[..., 0] = (lightness - mean) * factor + mean
    moved += amount * (surroundings.mean(axis=0) * [1, 0.5, 0.5] - [mean, 0, 0]).astype(np.float32)
    rgb = cv2.cvtColor(moved, cv2.COLOR_LAB2RGB)
    return Patch(np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8), patch.alpha)


def _surroundings(canvas: UInt8, patch: Patch, top: int, left: int) -> NDArray[np.float32]:
    """The canvas in and around the patch, in Lab [n, 3]."""
    import cv2

    height, width = patch.alpha.shape
    down, across = round(height * _AROUND), round(width * _AROUND)
    window = canvas[
        max(0, top - down) : top + height + down, max(0, left - across) : left + width + across
    ]
    lab = cv2.cvtColor(window.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(lab.reshape(-1, 3), np.float32)


def cast_shadow(canvas: UInt8, background: Background, layer: Layer, strength: float) -> Rows:
    """Darken the floor around the foot of a layer, in place; returns the rows that it changed.

    Without a known floor it changes no rows. The shadow is an ellipse on the floor's plane, as wide
    as the layer's box, that falls off as a Gaussian. Pixels whose depth in the background is off
    the floor keep their colours.
    """
    shadow = contact_shadow(background, layer)
    if shadow is None:
        return 0, 0
    shade, top, left = shadow
    height, width = shade.shape
    window = canvas[top : top + height, left : left + width]
    np.rint(window * (1 - strength * shade)[..., None], out=window, casting="unsafe")
    return top, top + height


def contact_shadow(background: Background, layer: Layer) -> tuple[Float32, int, int] | None:
    """The shadow of a layer: (darkness float32 [h, w], 0..1; its top; its left).

    None without depth, camera and floor.
    """
    camera, plane, depth_m = background.camera, background.plane, background.depth_m
    if camera is None or plane is None or depth_m is None or not layer.depth_m:
        return None
    m_per_px = layer.depth_m / camera.f_px
    half_m = layer.width * m_per_px / 2
    row, column = layer.top + layer.height, layer.left + layer.width / 2
    reach = int(np.ceil(_REACH * layer.width / 2))
    top, bottom = (min(max(row + by, 0), depth_m.shape[0]) for by in (-reach, reach))
    left, right = (min(max(round(column) + by, 0), depth_m.shape[1]) for by in (-reach, reach))
    if top >= bottom or left >= right:
        return None
    foot = np.array([(column - camera.cx) * m_per_px, (row - camera.cy) * m_per_px, layer.depth_m])
    z = depth_m[top:bottom, left:right]
    x = (np.arange(left, right) + 0.5 - camera.cx) / camera.f_px * z - foot[0]
    y = (np.arange(top, bottom) + 0.5 - camera.cy)[:, None] / camera.f_px * z - foot[1]
    normal = np.array(plane.normal)
    forward = np.cross([1.0, 0.0, 0.0], normal)
    forward /= np.sqrt(forward @ forward)
    beside = np.cross(normal, forward)
    offset = np.stack([x, y, z - foot[2]], axis=-1)
    # The middle of the shadow is behind the foot point, as the foreground's own middle is.
    across, along = offset @ beside / half_m, offset @ forward / (half_m * SHADOW_DEPTH) - 0.5
    below = (offset @ normal + foot @ normal) / plane.offset_m - 1
    # The shadow fades out instead of ending at a line, since an estimated floor is wavy.
    on_floor = np.clip(2 - 2 * np.abs(below) / _OFF_FLOOR[background.guessed], 0, 1)
    shade = np.where(z > 0, on_floor * np.exp(-2 * (across**2 + along**2)), 0)
    return shade.astype(np.float32), top, left
