"""Image files as arrays: any size, orientation, bit depth and colour mode, or one clear error."""

from __future__ import annotations

import struct
import threading
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from depthmask.data import Float32, Size, UInt8
from depthmask.errors import UsageError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_FORMATS = ("JPEG", "PNG", "WEBP")
_MOST_PIXELS = 100_000_000
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "F")
_FILTERING = threading.Lock()
"""Warning filters belong to the process: two threads would put back each other's."""


def load(path: Path) -> Image.Image:
    """The decoded picture, upright by its EXIF orientation; UsageError names the file."""
    try:
        # Pillow warns of large pictures; here the cap below decides.
        with _FILTERING, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=_FORMATS)
        with image:
            if image.width * image.height > _MOST_PIXELS:
                raise UsageError(
                    f"{path}: {image.width}x{image.height} is more than {_MOST_PIXELS:,} pixels; "
                    "make it smaller"
                )
            image.load()
            return ImageOps.exif_transpose(image)
    except UnidentifiedImageError:
        raise UsageError(f"{path}: not a JPEG, PNG or WebP picture; replace or remove it") from None
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise UsageError(f"{path}: cannot be decoded ({error}); replace or remove it") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB; transparent parts of a background show what colour lies under them."""
    if image.mode in _DEEP_MODES:
        image = _eight_bits(image)
    elif image.has_transparency_data:
        # Pillow warns where a palette with transparency becomes RGB in one step.
        image = image.convert("RGBA")
    return image.convert("RGB")


def to_rgba(image: Image.Image) -> Image.Image | None:
    """8-bit RGBA with straight alpha; None if the picture has no transparency at all."""
    if not image.has_transparency_data:
        return None
    rgba = image.convert("RGBA")
    return None if rgba.getchannel("A").getextrema() == (255, 255) else rgba


def with_mask(image: Image.Image, mask: Image.Image) -> Image.Image:
    """RGBA from a picture and the grey values of a mask of the same size."""
    rgba = to_rgb(image)
    rgba.putalpha(to_rgb(mask).convert("L"))
    return rgba


def crop_box(image: Image.Image, size: Size) -> tuple[float, float, float, float]:
    """The largest centred box (left, top, right, bottom) with the aspect of (height, width)."""
    height, width = size
    scale = min(image.width / width, image.height / height)
    left = (image.width - width * scale) / 2
    top = (image.height - height * scale) / 2
    return left, top, left + width * scale, top + height * scale


def resize_picture(image: Image.Image, size: Size) -> UInt8:
    """RGB cropped at the centre to the aspect of (height, width), then resized by Lanczos."""
    if (image.height, image.width) == size:
        return np.asarray(image)
    resized = image.resize((size[1], size[0]), Image.Resampling.LANCZOS, box=crop_box(image, size))
    return np.asarray(resized)


def load_depth(path: Path, like: Image.Image, size: Size) -> Float32:
    """Metres float32 [h, w] from a 16-bit millimetre PNG, cropped and resized as its picture.

    By the nearest pixel: a mixture of near and far would be a depth where nothing is.
    """
    image = load(path)
    if image.mode not in _DEEP_MODES:
        raise UsageError(f"{path}: mode {image.mode}; depth has to be a 16-bit grey PNG [mm]")
    if image.width * like.height != image.height * like.width:
        raise UsageError(
            f"{path}: {image.height}x{image.width} has another aspect than its picture, "
            f"{like.height}x{like.width}"
        )
    millimetres = image.convert("F").resize(
        (size[1], size[0]), Image.Resampling.NEAREST, box=crop_box(image, size)
    )
    return np.asarray(millimetres, np.float32) / np.float32(1000)


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 0xFFFF:
        raise UsageError(f"mode {image.mode} outside 16-bit grey is not a picture")
    return Image.fromarray((values.astype(np.uint16) >> 8).astype(np.uint8))
