"""Reads pictures in sRGB: colours of another embedded profile (ICC) are converted by LittleCMS.

As browsers do, a profile that is damaged, or belongs to another kind of picture, is ignored, and so
is one of over 4 MB. The EXIF colour space and the chunks gAMA, cHRM and cICP of a PNG are not read.

The rendering intent is perceptual, the default of Pillow, of ImageMagick ("default:
intent=INTENT_PERCEPTUAL" in MagickCore/profile.c) and of Firefox
(gfx.color_management.rendering_intent=0). It matters for profiles with tables alone, mostly of
CMYK: those of cameras and phones are a matrix, of which colours outside sRGB are clipped.

LittleCMS converts in integers, without instructions that only some processors have. A conversion
may be shared by threads: each call works on its own copy of the cache of one pixel.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from depthmask.data import Size, UInt8
from depthmask.stages.source import _images as images

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

_MOST_BYTES = 4_000_000
"""The largest profiles, those of printing presses with CMYK, have 0.5 to 2.7 MB."""
_CLASSES = ("scnr", "mntr", "prtr", "spac")
"""The classes of profiles that describe the colours of pictures: of inputs, displays, outputs and
colour spaces."""
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""The colours that a profile is of -> the mode of pictures that it converts."""
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")
_LEAST_CHANGE = 2
"""A profile that changes no value by more than this is sRGB: nine published sRGB profiles change
them by 0 or 1, by the rounding of their curves; the nearest other one, Rec. 709, by 16."""
_MARKS = (b"ICC_PROFILE\0", b"iCCP")
"""Bytes of which one is in every JPEG or PNG with a profile."""


@dataclass(frozen=True, slots=True)
class _Conversion:
    """A conversion to sRGB. mode: of the pictures that it takes, one of `_MODES`."""

    transform: ImageCmsTransform
    mode: str

    def taken(self, image: Image.Image) -> Image.Image:
        """The colours of an image of any mode, without transparency, in the mode that it takes."""
        return image if image.mode == self.mode else images.to_rgb(image).convert(self.mode)

    def pixels(self, picture: images.Picture) -> UInt8:
        """The pixels of `taken`."""
        return picture.rgb if self.mode == "RGB" else np.asarray(self.taken(picture.image))

    def apply(self, image: Image.Image) -> Image.Image:
        """The colours of an image of its mode in sRGB, in 19 ns a pixel."""
        colours = self.transform.apply(image)
        del colours.info["icc_profile"]
        return colours


def load_picture(path: Path, data: bytes | None = None) -> Image.Image:
    """The picture as `images.load` reads it, in sRGB; RGB or RGBA if that changes its colours.

    For pictures alone: the values of masks and depth are no colours. data: the content of the file,
    if it is in memory. Raises `AssetError`.
    """
    image = images.load(path, data)
    conversion = _conversion(image)
    if conversion is None:
        return image
    rgba = images.to_rgba(image)
    colours = conversion.apply(conversion.taken(image))
    if rgba is not None:
        colours.putalpha(rgba.getchannel("A"))
    return colours


def resize_picture(picture: Image.Image | images.Picture, size: Size) -> UInt8:
    """RGB of a picture of `images.load` or `load_for`, in sRGB, cropped and resized by Lanczos.

    Colours are converted last: those of 12 megapixels take twice the time of decoding them.
    """
    if isinstance(picture, Image.Image):
        picture = images.Picture(picture, *picture.size)
    conversion, box = _conversion(picture.image), picture.crop_box(size)
    if conversion is None:
        return images.resize_picture(picture.rgb, size, box)
    pixels = images.resize_picture(conversion.pixels(picture), size, box)
    resized = Image.frombytes(conversion.mode, (size[1], size[0]), pixels.tobytes())
    return np.asarray(conversion.apply(resized))


def is_converted(image: Image.Image) -> bool:
    """Whether `load_picture` changes the colours of the file that an image was read from."""
    return _conversion(image) is not None


def is_file_converted(data: bytes) -> bool:
    """Whether `load_picture` changes the colours of a JPEG or PNG in memory."""
    if not any(mark in data for mark in _MARKS):
        return False
    with images.opened(io.BytesIO(data)) as image:
        return is_converted(image)


def _conversion(image: Image.Image) -> _Conversion | None:
    """The conversion of the colours of an image; None if they stay as they are."""
    # 0.1 us without a profile, 1 us with one of 3 kB that was seen; decoding 160x160 takes 120.
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > _MOST_BYTES:
        return None
    conversion = _conversion_of(profile)
    return conversion if conversion and _fits(image.mode, conversion.mode) else None


def _fits(image_mode: str, mode: str) -> bool:
    """Whether a profile for `mode` is one for an image; grey may have the profile of its RGB."""
    if "CMYK" in (image_mode, mode):
        return image_mode == mode
    return mode == "RGB" or image_mode in _GREY


@lru_cache(maxsize=16)
def _conversion_of(profile: bytes) -> _Conversion | None:
    """The conversion from a profile; None if it is sRGB, or of no use. It takes 3 ms."""
    # Imported here, since few pictures have a profile.
    from PIL import ImageCms

    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip())
        if mode is None or source.profile.device_class not in _CLASSES:
            return None
        if mode == "L":
            # By 33 values, the usual number, the darkest greys of linear light are off by 10.
            flags |= ImageCms.Flags.GRIDPOINTS(255)
        transform = ImageCms.ImageCmsTransform(
            source,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.PERCEPTUAL,
            flags=flags,
        )
    except (OSError, ValueError):
        return None
    conversion = _Conversion(transform, mode)
    return None if mode != "CMYK" and _is_srgb(conversion) else conversion


def _is_srgb(conversion: _Conversion) -> bool:
    """Whether a conversion leaves colours as they are, as near as their rounding allows."""
    steps = np.arange(0, 256, 17, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(64, 64, 3)
    if conversion.mode == "L":
        colours = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 256, 1), 3, axis=2)
    chart = conversion.taken(Image.fromarray(colours))
    converted = np.asarray(conversion.apply(chart))
    return bool(np.abs(converted.astype(np.int16) - colours).max() <= _LEAST_CHANGE)
