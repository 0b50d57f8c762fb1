"""Resampling by Lanczos, with the bytes of Pillow."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from PIL import Image

from depthmask.data import Size, UInt8
from depthmask.kernels.compiled import dense_rows, native

Box: TypeAlias = tuple[float, float, float, float]
"""left, top, right, bottom."""
Window: TypeAlias = tuple[slice, slice]
"""Rows and columns of the result, with both ends."""
_MODES = {1: "L", 3: "RGB", 4: "RGBa"}


def resample(
    pixels: UInt8,
    size: Size,
    box: Box | None = None,
    window: Window | None = None,
    *,
    flip: bool = False,
) -> UInt8:
    """Resize to (height, width) by Lanczos, first across, then down.

    The bytes are those of `PIL.Image.resize` up to version 12; version 13 begins with what is
    faster. It takes a third of Pillow's time.

    pixels: uint8 [h, w], [h, w, 3] or [h, w, 4], the last with premultiplied colours. box: what of
    them becomes the result, by default all. window: the rows and columns of the result that are
    made, by default all. flip: whether these are then mirrored. Raises `ValueError` if size, box or
    window is empty or does not fit.
    """
    height, width = pixels.shape[:2]
    box = (0.0, 0.0, float(width), float(height)) if box is None else box
    window = (slice(0, size[0]), slice(0, size[1])) if window is None else window
    if native is None:
        result = _resample(pixels, size, box, window)
        return np.ascontiguousarray(result[:, ::-1]) if flip else result
    rows, columns = window
    shape = rows.stop - rows.start, columns.stop - columns.start, *pixels.shape[2:]
    result = np.empty(shape, np.uint8)
    source = pixels if pixels.ndim == 2 else dense_rows(pixels)
    native.resample(source, result, *size, box, rows.start, columns.start, flip)
    return result


def _resample(pixels: UInt8, size: Size, box: Box, window: Window) -> UInt8:
    """By Pillow, in two steps, so that all versions give the same bytes."""
    if not all(0 <= one.start < one.stop <= end for one, end in zip(window, size, strict=True)):
        raise ValueError("sizes, box or window that do not fit")
    height, width = pixels.shape[:2]
    mode = _MODES[pixels.shape[2] if pixels.ndim == 3 else 1]
    image = Image.frombuffer(mode, (width, height), pixels.tobytes(), "raw", mode, 0, 1)
    left, top, right, bottom = box
    for step, part in (
        ((size[1], height), (left, 0, right, height)),
        ((size[1], size[0]), (0, top, size[1], bottom)),
    ):
        image = image.resize(step, Image.Resampling.LANCZOS, box=part)
    return np.ascontiguousarray(np.asarray(image)[window])


def premultiplied(rgba: UInt8) -> UInt8:
    """A copy of uint8 [h, w, 4] with each colour times its alpha, as Pillow's RGBa."""
    if native is None:
        return np.array(Image.fromarray(rgba).convert("RGBa"))
    result = np.array(rgba, order="C")
    native.premultiply(result)
    return result


def straight(rgba: UInt8) -> UInt8:
    """The colours of premultiplied uint8 [h, w, 4], divided by alpha: uint8 [h, w, 3]."""
    height, width = rgba.shape[:2]
    if native is None:
        image = Image.frombuffer("RGBa", (width, height), rgba.tobytes(), "raw", "RGBa", 0, 1)
        return np.ascontiguousarray(np.asarray(image.convert("RGBA"))[..., :3])
    result = np.empty((height, width, 3), np.uint8)
    native.straight(dense_rows(rgba), result)
    return result


def resample_rgba(rgba: UInt8, size: Size) -> UInt8:
    """Resize straight uint8 [h, w, 4] to (height, width); hidden colours do not bleed in."""
    small = resample(premultiplied(rgba), size)
    return np.dstack([straight(small), small[..., 3]])
