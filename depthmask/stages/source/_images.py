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
import simplejpeg
from PIL import ExifTags, Image, UnidentifiedImageError

from depthmask.data import Float32, Size, UInt8
from depthmask.errors import refuse_machine_errors, way_on
from depthmask.kernels.resampling import resample
from depthmask.stages.source._folder import AssetError
from depthmask.stages.source._formats import pillow_formats, reason_of_content

Box: TypeAlias = tuple[float, float, float, float]
"""left, top, right, bottom."""
_FORMATS = ("JPEG", "PNG", "WEBP")
_JPEGS = ("JPEG", "MPO")
"""Pillow's names of a JPEG, and of one with more pictures behind it, as of phones."""
_MOST_PIXELS = 100_000_000
_LONGEST_SIDE = 65_535
"""What `resample` can take; a PNG, a BMP or a TIFF may be longer."""
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L")
_MODES = (
    *("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"),
    *_DEEP_MODES,
)
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

    image: upright, or opened alone where `decoded` has the pixels. width, height: of the upright
    file, in pixels. shrink: how many of them are one decoded pixel, along each side. left, top:
    where the file begins in what is decoded, less than 1: the last block of a file may reach beyond
    it. decoded: upright RGB, [h, w, 3].
    """

    image: Image.Image
    width: int
    height: int
    shrink: int = 1
    left: float = 0.0
    top: float = 0.0
    decoded: UInt8 | None = None

    @property
    def rgb(self) -> UInt8:
        """The decoded pixels, [h, w, 3], as `to_rgb`."""
        return np.asarray(to_rgb(self.image)) if self.decoded is None else self.decoded

    def crop_box(self, size: Size) -> Box:
        """The box of `crop_box` in decoded pixels."""
        left, top, right, bottom = (edge / self.shrink for edge in crop_box(self, size))
        return left + self.left, top + self.top, right + self.left, bottom + self.top


def load(path: Path, data: bytes | None = None) -> Image.Image:
    """The decoded image, upright by its EXIF orientation; the first frame of an animation.

    data: the content of the file, if it is in memory. Raises `AssetError`, which names the file.
    """
    data = read(path) if data is None else data
    with _faults_of(path), _identified(path, data) as image:
        return _upright(path, image, data)


def load_for(path: Path, data: bytes, canvas: Size) -> Picture:
    """The picture, to be cropped and resized to a canvas (height, width).

    A JPEG of six times that size, or more, is decoded at a half, a quarter or an eighth, at least
    three times the canvas: libjpeg leaves out the finest waves of each block of 8x8 pixels.
    """
    with _faults_of(path), _identified(path, data) as image:
        across, down = image.size
        shrink = _shrink(image, canvas)
        decoded = _decoded_jpeg(image, data, shrink)
        if decoded is None:
            if shrink > 1:
                image.draft(None, (across // shrink, down // shrink))
            upright = _upright(path, image, data)
            turned, (columns, rows) = orientation(image), upright.size
        else:
            upright, turned = image, orientation(image)
            decoded = _turned(decoded, turned)
            rows, columns = decoded.shape[:2]
        width, height = (down, across) if turned in _ON_SIDE else (across, down)
        if shrink == 1:
            # A damaged file may hold another size than it says.
            width, height = columns, rows
        left = columns - width / shrink if turned in _MIRRORED_ACROSS else 0.0
        top = rows - height / shrink if turned in _MIRRORED_DOWN else 0.0
        return Picture(upright, width, height, shrink, left, top, decoded)


def _require_known_mode(path: Path, image: Image.Image) -> None:
    """Raise `AssetError` for numbers of more than 16 bits, and for colours that are not RGB.

    Which number is black or white is not known; those of a PNG are of 16 bits, also in mode `I`.
    """
    if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
        raise AssetError(path, "numbers of 32 bits; save as 8 or 16 bits without a sign")
    if image.mode not in _MODES:
        raise AssetError(path, f"colours of the mode {image.mode}; save as RGB")


def _upright(path: Path, image: Image.Image, data: bytes) -> Image.Image:
    """An opened image, decoded by Pillow and upright; data: its file."""
    tiles = getattr(image, "tile", ())
    stored = tiles[0][3] if tiles else None
    with _decoding():
        if image.format == "TIFF":
            # Read here, its metadata are not read by `load`, with warnings.
            orientation(image)
        image.load()
    _require_known_mode(path, image)
    turn = _TURNS.get(orientation(image))
    if "transparency" in image.info:
        image = _with_exact_alpha(image, stored, data)
    return image if turn is None else image.transpose(turn)


def _decoded_jpeg(image: Image.Image, data: bytes, shrink: int) -> UInt8 | None:
    """The pixels of a JPEG in colours as they lie in the file, [h, w, 3].

    They are those of Pillow, which has the same libjpeg-turbo, in half the time: they are written
    into the array itself. None for what Pillow must decode, or refuse: other files, and those of
    which libjpeg-turbo has anything to say.
    """
    across, down = image.size
    if image.format not in _JPEGS or image.mode != "RGB" or (shrink > 1 and max(image.size) < 8):
        return None
    height, width = -(-down // shrink), -(-across // shrink)
    least = {"min_height": height, "min_width": width} if shrink > 1 else {}
    try:
        # Its sizes are read again, since memory is taken by them.
        if simplejpeg.decode_jpeg_header(data)[:2] != (down, across):
            return None
        pixels: UInt8 = simplejpeg.decode_jpeg(data, **least)
    except ValueError:
        return None
    return pixels if pixels.shape == (height, width, 3) else None


def _turned(pixels: UInt8, turned: int) -> UInt8:
    """Pixels as they lie in a file of an EXIF orientation, upright."""
    if turned in _ON_SIDE:
        pixels = pixels.swapaxes(0, 1)
    if turned in _MIRRORED_ACROSS:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels[::-1] if turned in _MIRRORED_DOWN else pixels)


def _shrink(image: Image.Image, canvas: Size) -> int:
    """How many pixels of a large JPEG become one when it is decoded for a canvas."""
    height, width = canvas
    if image.format != "JPEG":
        return 1
    if orientation(image) in _ON_SIDE:
        height, width = width, height
    scale = min(image.width / width, image.height / height)
    return next(one for one in _SHRINKS if one == 1 or scale >= _LEAST_SCALE * one)


def _identified(path: Path, data: bytes) -> Image.Image:
    """The image in a file with its header read; `AssetError` for another format, or a huge one."""
    try:
        with _decoding():
            image = opened(io.BytesIO(data), pillow_formats(data))
    except UnidentifiedImageError:
        raise AssetError(path, reason_of_content(data)) from None
    _require_size(path, image.size)
    return image


def _require_size(path: Path, size: tuple[int, int]) -> None:
    """Raise `AssetError` for a picture (width, height) that would take too much memory."""
    width, height = size
    if width * height > _MOST_PIXELS:
        raise AssetError(
            path, f"{width}x{height} is more than {_MOST_PIXELS:,} pixels; make it smaller"
        )
    if max(size) > _LONGEST_SIDE:
        raise AssetError(
            path, f"{width}x{height} has a side of over {_LONGEST_SIDE:,} pixels; make it smaller"
        )


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


@contextmanager
def _decoding() -> Iterator[None]:
    """Turn whatever decoders raise for a damaged file into a ValueError.

    Those of TIFF, AVIF and HEIC raise RuntimeError, EOFError, KeyError and others.
    """
    try:
        yield
    except (MemoryError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise
    except Exception as error:
        raise ValueError(str(error) or type(error).__name__) from error


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


def opened(file: BinaryIO, formats: tuple[str, ...] = _FORMATS) -> Image.Image:
    """The image with its header read and its pixels not; raises what Pillow raises.

    formats: Pillow's names of those that the file may have.
    """
    # Pillow warns about large images, for which the caller checks our own limit, and about metadata
    # of a TIFF.
    with _FILTERING, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)
        return Image.open(file, formats=formats)


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
    # Pillow copies what has the mode already.
    return image if image.mode == "RGB" else image.convert("RGB")


def to_rgba(image: Image.Image) -> Image.Image | None:
    """8-bit RGBA with straight alpha; None if the image has no transparency."""
    if not image.has_transparency_data:
        return None
    if image.mode in _DEEP_MODES:
        rgba = _deep_to_rgba(image)
    else:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    return None if rgba.getchannel("A").getextrema() == (255, 255) else rgba


def with_alpha(image: Image.Image, alpha: Image.Image) -> Image.Image:
    """RGBA of an image and an 8-bit grey alpha of the same size."""
    rgba = to_rgb(image).convert("RGBA")
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


def resize_picture(pixels: UInt8, size: Size, box: Box) -> UInt8:
    """Colours [h, w, 3] cropped to a box, then resized by Lanczos to (height, width)."""
    return pixels if pixels.shape[:2] == size else resample(pixels, size, box)


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
