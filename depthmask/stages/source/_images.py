"""Reads image files of any size, orientation, bit depth and mode, or raises one clear error."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from depthmask.data import Float32, Size, UInt8
from depthmask.errors import refuse_machine_errors, way_on
from depthmask.stages.source._folder import AssetError
from depthmask.stages.source._formats import format_of

Box: TypeAlias = tuple[float, float, float, float]
"""left, top, right, bottom."""
_FORMATS = ("JPEG", "PNG", "WEBP")
_MOST_PIXELS = 100_000_000
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L")
_GREY_STEPS: dict[object, int] = {"L;2": 85, "L;4": 17}
"""Pillow's name of greys of 2 and 4 bits -> the step between two of them in 8 bits."""
_DEEP_COLOURS = "RGB;16B"
"""Pillow's name of RGB of 16 bits in a PNG."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> the transposition that makes the image upright."""
_ON_SIDE = (5, 6, 7, 8)
"""EXIF orientations of pictures that lie on a side."""
_MIRRORED_ACROSS, _MIRRORED_DOWN = (2, 3, 6, 7), (3, 4, 7, 8)
"""Those whose upright picture begins, on the left or at the top, where a side of the file ends."""
_SHRINKS = (8, 4, 2, 1)
_LEAST_SCALE = 3
"""A JPEG is decoded at so many times the canvas at least. With 3, white noise differs from Lanczos
of the whole file by 41 dB, with 2 by 34; photographs by 51 dB and more."""
_MARKS_OF_METADATA = (b"Exif\0\0", b"eXIf", b"exif", b"xmp", b"tiff:Orientation")
"""Bytes of which one is in every JPEG or PNG that says which side is up: by EXIF, by the text that
ImageMagick makes of EXIF, or by XMP, which has the same field."""
_FILTERING = threading.Lock()
"""Held while warning filters are changed, since they belong to the whole process."""


def read(path: Path) -> bytes:
    """The content of an image file; raises `AssetError`, which names the file."""
    with _faults_of(path):
        return path.read_bytes()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that may be decoded at a part of its size.

    image: upright. width, height: of the upright file, in pixels. shrink: how many of them are one
    pixel of `image`, along each side. left, top: where the file begins in `image`, less than 1: the
    last block of a file may reach beyond it.
    """

    image: Image.Image
    width: int
    height: int
    shrink: int = 1
    left: float = 0.0
    top: float = 0.0

    def crop_box(self, size: Size) -> Box:
        """The box of `crop_box` in pixels of `image`."""
        left, top, right, bottom = (edge / self.shrink for edge in crop_box(self, size))
        return left + self.left, top + self.top, right + self.left, bottom + self.top


def load(path: Path, data: bytes | None = None) -> Image.Image:
    """The decoded image, upright by its EXIF orientation; the first frame of an animation.

    data: the content of the file, if it is in memory. Raises `AssetError`, which names the file.
    """
    return _loaded(path, read(path) if data is None else data, None).image


def load_for(path: Path, data: bytes, canvas: Size) -> Picture:
    """The picture, to be cropped and resized to a canvas (height, width).

    A JPEG of six times that size, or more, is decoded at a half, a quarter or an eighth, at least
    three times the canvas: libjpeg leaves out the finest waves of each block of 8x8 pixels.
    """
    return _loaded(path, data, canvas)


def _loaded(path: Path, data: bytes, canvas: Size | None) -> Picture:
    with _faults_of(path), _identified(path, data) as image:
        if image.width * image.height > _MOST_PIXELS:
            raise AssetError(
                path,
                f"{image.width}x{image.height} is more than {_MOST_PIXELS:,} pixels; "
                "make it smaller",
            )
        across, down = image.size
        shrink = _drafted(image, canvas) if canvas else 1
        tiles = getattr(image, "tile", ())
        stored = tiles[0][3] if tiles else None
        image.load()
        turned = orientation(image)
        turn = _TURNS.get(turned)
        if "transparency" in image.info:
            image = _with_exact_alpha(image, stored, data)
        upright = image.copy() if turn is None else image.transpose(turn)
        width, height = (down, across) if turned in _ON_SIDE else (across, down)
        left = upright.width - width / shrink if turned in _MIRRORED_ACROSS else 0.0
        top = upright.height - height / shrink if turned in _MIRRORED_DOWN else 0.0
        return Picture(upright, width, height, shrink, left, top)


def _drafted(image: Image.Image, canvas: Size) -> int:
    """Have a large JPEG decoded for a canvas; returns how many of its pixels become one."""
    height, width = canvas
    if image.format != "JPEG":
        return 1
    if orientation(image) in _ON_SIDE:
        height, width = width, height
    scale = min(image.width / width, image.height / height)
    shrink = next(one for one in _SHRINKS if one == 1 or scale >= _LEAST_SCALE * one)
    if shrink > 1:
        image.draft(None, (image.width // shrink, image.height // shrink))
    return shrink


def _identified(path: Path, data: bytes) -> Image.Image:
    """The image in a file with its header read; `AssetError` for another format."""
    try:
        return opened(io.BytesIO(data))
    except UnidentifiedImageError:
        raise AssetError(path, _other_format(data)) from None


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into one line that names it."""
    try:
        yield
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        if isinstance(error, PermissionError):
            raise AssetError(path, f"{error.strerror}{way_on(error)}") from None
        refuse_machine_errors(path, error)
        # The text of an OSError would repeat the name of the file.
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise AssetError(path, f"cannot be decoded ({reason}); replace or remove it") from None


def _with_exact_alpha(image: Image.Image, stored: object, data: bytes) -> Image.Image:
    """The image with the transparent pixels of its file, also where Pillow has others.

    stored: Pillow's name of the pixels in the file. Pillow makes 8 bits of greys of 2 or 4 bits and
    of colours of 16, and compares the result with the transparent value of the file.
    """
    if stored in _GREY_STEPS:
        image.info["transparency"] *= _GREY_STEPS[stored]
    elif stored == _DEEP_COLOURS:
        import cv2

        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        del image.info["transparency"]
        image.putalpha(Image.fromarray((np.asarray(values)[..., 3] >> 8).astype(np.uint8)))
    return image


def _other_format(start: bytes) -> str:
    """Why a file that begins so cannot be used, which is no picture of a format that is read."""
    if other := format_of(start):
        return f"not a JPEG, PNG or WebP picture but {other}; save as JPEG or PNG"
    return "not a JPEG, PNG or WebP picture; replace or remove it"


def opened(file: BinaryIO) -> Image.Image:
    """The image with its header read and its pixels not; raises what Pillow raises."""
    # Pillow warns about large images; the caller checks our own limit.
    with _FILTERING, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(file, formats=_FORMATS)


def orientation(image: Image.Image) -> int:
    """The EXIF orientation; `ImageOps.exif_transpose` would read it twice and write it as well."""
    # Pillow warns about invalid EXIF data.
    with _FILTERING, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return image.getexif().get(ExifTags.Base.Orientation, 1)


def is_turned(data: bytes) -> bool:
    """Whether programs that heed its orientation turn the pixels of a JPEG or PNG in memory."""
    if not any(mark in data for mark in _MARKS_OF_METADATA):
        return False
    with opened(io.BytesIO(data)) as image:
        if image.format == "PNG":
            # Its metadata may follow the pixels.
            image.load()
        return orientation(image) in _TURNS


def to_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB; transparent pixels of a background keep their colour."""
    if image.mode in _DEEP_MODES:
        image = _eight_bits(image)
    elif image.has_transparency_data:
        # Pillow warns if a palette with transparency is converted to RGB in one step.
        image = image.convert("RGBA")
    return image.convert("RGB")


def to_rgba(image: Image.Image) -> Image.Image | None:
    """8-bit RGBA with straight alpha; None if the image has no transparency."""
    if not image.has_transparency_data:
        return None
    rgba = _deep_to_rgba(image) if image.mode in _DEEP_MODES else image.convert("RGBA")
    return None if rgba.getchannel("A").getextrema() == (255, 255) else rgba


def with_alpha(image: Image.Image, alpha: Image.Image) -> Image.Image:
    """RGBA of an image and an 8-bit grey alpha of the same size."""
    rgba = to_rgb(image)
    rgba.putalpha(alpha)
    return rgba


def crop_box(image: Image.Image | Picture, size: Size) -> Box:
    """The largest centred box with the aspect of (height, width), in pixels of the file."""
    height, width = size
    scale = min(image.width / width, image.height / height)
    # By rounding, a side that fills the picture may begin 3e-14 pixels before it.
    left = max(0.0, (image.width - width * scale) / 2)
    top = max(0.0, (image.height - height * scale) / 2)
    return left, top, left + width * scale, top + height * scale


def resize_picture(image: Image.Image, size: Size, box: Box | None = None) -> UInt8:
    """RGB cropped to a box, then resized by Lanczos to (height, width).

    box: by default that of `crop_box`.
    """
    if (image.height, image.width) == size:
        return np.asarray(image)
    box = crop_box(image, size) if box is None else box
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.LANCZOS, box=box))


def load_depth(
    path: Path, picture: Image.Image | Picture, size: Size, data: bytes | None = None
) -> Float32:
    """Metres float32 [h, w] from a 16-bit millimetre PNG, cropped and resized like its image.

    Each pixel is the nearest one, since a mean of near and far is the depth of neither. data: the
    content of the file, if it is in memory. Raises `AssetError` for another mode, or another aspect
    than that of `picture`.
    """
    image = load(path, data)
    if image.mode not in _DEEP_MODES:
        raise AssetError(path, f"mode {image.mode}; depth has to be a 16-bit grey PNG [mm]")
    if image.width * picture.height != image.height * picture.width:
        raise AssetError(
            path,
            f"{image.height}x{image.width} has another aspect than its picture, "
            f"{picture.height}x{picture.width}",
        )
    millimetres = image.convert("F").resize(
        (size[1], size[0]), Image.Resampling.NEAREST, box=crop_box(image, size)
    )
    return np.asarray(millimetres, np.float32) / np.float32(1000)


def _deep_to_rgba(image: Image.Image) -> Image.Image:
    """RGBA of 16-bit grey with a transparent value; Pillow would clip it at 255 of 65535."""
    rgba = _eight_bits(image).convert("RGBA")
    opaque = np.asarray(image) != image.info["transparency"]
    rgba.putalpha(Image.fromarray(opaque.astype(np.uint8) * 255))
    return rgba


def _eight_bits(image: Image.Image) -> Image.Image:
    """The upper 8 of 16 bits; a 16-bit PNG may also have the mode `I`."""
    return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
