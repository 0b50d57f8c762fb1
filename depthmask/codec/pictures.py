"""Decodes pictures of unknown origin: JPEG, and PNG of this or another program."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from depthmask.codec.png import GREY_8, GREY_16, RGB_8, decode_png
from depthmask.data import UInt8, UInt16
from depthmask.errors import DepthmaskError

MOST_PIXELS = 8192 * 8192
"""The most pixels that a canvas may have."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE_AT = 16


def _open(data: bytes, most_pixels: int) -> Image.Image:
    """Open a PNG of another program; its size is checked before Pillow warns about it."""
    width, height = struct.unpack_from(">II", data, _PNG_SIZE_AT)
    if data.startswith(_PNG_SIGNATURE) and width * height <= most_pixels:
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        # Pillow reads the last header; a file with two could have another size.
        if image.size == (width, height):
            return image
    raise DepthmaskError(f"no PNG of up to {most_pixels:,} pixels")


def decode_grey(data: bytes, most_pixels: int) -> UInt8 | UInt16:
    """The values [h, w] of a PNG with one channel."""
    values = decode_png(data, most_pixels, GREY_8, GREY_16)
    if values is None:
        values = np.array(_open(data, most_pixels))
    if values.ndim != 2:
        raise DepthmaskError(f"values of {values.shape}, one channel expected")
    return values


def decode_image(data: bytes, mode: str, most_pixels: int) -> UInt8:
    """The pixels of a JPEG or PNG. mode: RGB, or L for grey."""
    if data[:2] == b"\xff\xd8":
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        if width * height > most_pixels:
            raise DepthmaskError(f"{height}x{width}, more than {most_pixels:,} pixels")
        grey = mode == "L"
        pixels = simplejpeg.decode_jpeg(data, colorspace="GRAY" if grey else "RGB")
        return pixels[..., 0] if grey else pixels
    values = decode_png(data, most_pixels, GREY_8 if mode == "L" else RGB_8)
    if values is not None:
        return values
    # A copy: arrays that share memory with Pillow are read-only, and PyTorch warns about them.
    return np.array(_open(data, most_pixels).convert(mode))


def decode_any_png(data: bytes, most_pixels: int) -> NDArray[Any]:
    """The values of a PNG as they are stored: [h, w] or [h, w, channels]."""
    values = decode_png(data, most_pixels, GREY_8, GREY_16, RGB_8)
    return np.array(_open(data, most_pixels)) if values is None else values
