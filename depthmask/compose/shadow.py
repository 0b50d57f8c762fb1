"""A soft shadow where an object meets the floor."""

from __future__ import annotations

import numpy as np

from depthmask.data import Background, Float32, Layer, Rows, UInt8

DEEP = 0.45
"""Half the shadow's depth by half its width: things are wider than they are deep."""
_REACH = 2.0
"""Half widths that are looked at around the foot: beyond, less than exp(-8) is left."""
_OFF_FLOOR = 0.01, 0.08
"""How far from the floor a pixel may lie, by the camera's height above it: where the depth is
known, and where a network guessed it."""


def cast_shadow(canvas: UInt8, background: Background, layer: Layer, strength: float) -> Rows:
    """Darken the floor around the foot of a layer, in place; returns the rows where it did.

    No rows where no floor is known. An ellipse on the floor's plane that falls off as a Gaussian,
    as wide as the layer's box, drawn by the background's own depth: what stands on the floor or
    hides it stays as it is.
    """
    found = contact_shadow(background, layer)
    if found is None:
        return 0, 0
    shade, top, left = found
    height, width = shade.shape
    part = canvas[top : top + height, left : left + width]
    np.rint(part * (1 - strength * shade)[..., None], out=part, casting="unsafe")
    return top, top + height


def contact_shadow(background: Background, layer: Layer) -> tuple[Float32, int, int] | None:
    """(float32 [h, w] of 0..1, top, left), or None without depth, camera and floor.

    1 is darkest.
    """
    camera, plane, depth_m = background.camera, background.plane, background.depth_m
    if camera is None or plane is None or depth_m is None or not layer.depth_m:
        return None
    per_px = layer.depth_m / camera.f_px
    half_m = layer.width * per_px / 2
    row, column = layer.top + layer.height, layer.left + layer.width / 2
    reach = int(np.ceil(_REACH * layer.width / 2))
    top, bottom = (min(max(row + by, 0), depth_m.shape[0]) for by in (-reach, reach))
    left, right = (min(max(round(column) + by, 0), depth_m.shape[1]) for by in (-reach, reach))
    if top >= bottom or left >= right:
        return None
    foot = np.array([(column - camera.cx) * per_px, (row - camera.cy) * per_px, layer.depth_m])
    z = depth_m[top:bottom, left:right]
    x = (np.arange(left, right) + 0.5 - camera.cx) / camera.f_px * z - foot[0]
    y = (np.arange(top, bottom) + 0.5 - camera.cy)[:, None] / camera.f_px * z - foot[1]
    normal = np.array(plane.normal)
    ahead = np.cross([1.0, 0.0, 0.0], normal)
    ahead /= np.sqrt(ahead @ ahead)
    beside = np.cross(normal, ahead)
    offset = np.stack([x, y, z - foot[2]], axis=-1)
    # Its middle is behind the foot, as the thing is.
    across, along = offset @ beside / half_m, offset @ ahead / (half_m * DEEP) - 0.5
    below = (offset @ normal + foot @ normal) / plane.offset_m - 1
    # Less and less, rather than to a line: a guessed floor is wavy.
    on_floor = np.clip(2 - 2 * np.abs(below) / _OFF_FLOOR[background.guessed], 0, 1)
    shade = np.where(z > 0, on_floor * np.exp(-2 * (across**2 + along**2)), 0)
    return shade.astype(np.float32), top, left
