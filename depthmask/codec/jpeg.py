"""Encodes JPEG by OpenCV's libjpeg-turbo, with the accurate transform, in strips.

The pixels are those of Pillow's file, in 1 % more bytes. Below quality 96 the "TurboJPEG"
interface, and with it simplejpeg, takes a faster transform that loses 2 dB at quality 95.

A strip has 16 lines of pixels. Strips are separated by restart markers, which every decoder knows
(https://www.w3.org/Graphics/JPEG/itu-t81.pdf, E.1.4). The coder is reset at each marker, so the
bytes of a strip depend on its own pixels alone. Strips that composites share with their background
are therefore coded once.
"""

from __future__ import annotations

import functools
import re
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from depthmask.data import StripSource, UInt8

SUBSAMPLINGS = {"444": 0x111111, "422": 0x211111, "420": 0x221111}
"""Chroma subsampling -> the factors of Y, Cb and Cr as OpenCV takes them."""
_MCU = {"444": (8, 8), "422": (8, 16), "420": (16, 16)}
"""Chroma subsampling -> (height, width) in pixels of a minimum coded unit (MCU)."""
STRIP = 16
"""Lines of pixels in a strip; each restart marker adds about 4 bytes."""
_TALLEST = 65_500
"""The most lines that libjpeg writes to a file."""
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
"""In coded data a 0 follows every 255, so this matches markers alone."""
_RESTARTS = [b"\xff%c" % (0xD0 + number) for number in range(8)]
_SCAN = b"\xff\xda"
_END = b"\xff\xd9"
_LEAST_USES = 3
"""A background is coded once this many images on it have been encoded."""

Strips: TypeAlias = list[bytes]


def encode_jpeg(
    image: UInt8, quality: int, subsampling: str = "420", *, optimize: bool = False
) -> bytes:
    """uint8 [h, w, 3] RGB or [h, w] grey -> a baseline JPEG file.

    optimize: computes Huffman tables for this image, and makes no strips. At quality 50 and 160x160
    an image has a seventh fewer bytes, a mask a quarter, in up to twice the time.
    """
    # Imported here, since that takes 0.1 s, which would slow down `--help`.
    import cv2

    options: list[Any] = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if optimize:
        options += [cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    if image.ndim == 2:
        return cv2.imencode(".jpg", image, options)[1].tobytes()
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SUBSAMPLINGS[subsampling]]
    if not optimize:
        height, width = _MCU[subsampling]
        units = STRIP // height * -(-image.shape[1] // width)
        options += [cv2.IMWRITE_JPEG_RST_INTERVAL, units]
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1].tobytes()


class JpegEncoder:
    """Encodes many pictures as `encode_jpeg` does, to the same bytes in less time.

    Strips that a picture shares with its background, about half of them, are coded once for all
    pictures. The other strips of several pictures are coded together as one picture, whose tables
    and buffers are set up once.
    """

    def __init__(self, quality: int, subsampling: str = "420", *, optimize: bool = False) -> None:
        self._settings = quality, subsampling
        self._optimize = optimize
        self._backgrounds: dict[int, _Background] = {}

    def encode(self, images: Sequence[UInt8], sources: Sequence[StripSource | None]) -> list[bytes]:
        """uint8 [h, w, 3] RGB, all of one size -> a file for each.

        sources: the background of each image, None where it is not known.
        """
        height, width = images[0].shape[:2]
        if self._optimize or height % STRIP or len(images) * height > _TALLEST:
            return [
                encode_jpeg(image, *self._settings, optimize=self._optimize) for image in images
            ]
        backgrounds = [None if source is None else self._strips(source) for source in sources]
        if len(images) == 1 and backgrounds[0] is None:
            return [encode_jpeg(images[0], *self._settings)]
        # (first, stop) of the strips of each image that may differ from those of its background.
        ranges = [
            (0, height // STRIP)
            if strips is None or source is None
            else (source.touched[0] // STRIP, -(-source.touched[1] // STRIP))
            for strips, source in zip(backgrounds, sources, strict=True)
        ]
        coded = self._coded_strips(
            [
                image[first * STRIP : stop * STRIP]
                for image, (first, stop) in zip(images, ranges, strict=True)
            ]
        )
        head = _head(height, width, *self._settings)
        return [
            _file(head, own if strips is None else [*strips[:first], *own, *strips[stop:]])
            for own, strips, (first, stop) in zip(coded, backgrounds, ranges, strict=True)
        ]

    def _strips(self, source: StripSource) -> Strips | None:
        """The strips of a background; None until it has been used often enough to code it."""
        identity = id(source.background)
        background = self._backgrounds.get(identity)
        if background is None:
            # Removed together with the array, before another array can have the same id.
            forget = partial(self._backgrounds.pop, identity)
            background = _Background(weakref.ref(source.background, forget))
            self._backgrounds[identity] = background
        background.uses += 1
        if background.strips is None and background.uses >= _LEAST_USES:
            (background.strips,) = self._coded_strips([source.background])
        return background.strips

    def _coded_strips(self, bands: Sequence[UInt8]) -> list[Strips]:
        """The strips of each band [lines of strips, w, 3], all bands coded as one image."""
        stacked = np.concatenate(bands)
        if not len(stacked):
            return [[] for _ in bands]
        data = encode_jpeg(stacked, *self._settings)
        strips = iter(_RESTART.split(data[_scan_offset(data) : -len(_END)]))
        return [[next(strips) for _ in range(len(band) // STRIP)] for band in bands]


@dataclass(slots=True)
class _Background:
    """A background. array: not kept alive by it. uses: how many images were encoded on it."""

    array: weakref.ref[UInt8]
    uses: int = 0
    strips: Strips | None = None


def _file(head: bytes, strips: Strips) -> bytes:
    """The file of the strips, with a restart marker between any two."""
    pieces = [head]
    for number, strip in enumerate(strips):
        pieces += strip, _RESTARTS[number % 8]
    pieces[-1] = _END
    return b"".join(pieces)


@functools.lru_cache(maxsize=16)
def _head(height: int, width: int, quality: int, subsampling: str) -> bytes:
    """The bytes before the coded data, which all images of one size and quality share."""
    blank = encode_jpeg(np.zeros((height, width, 3), np.uint8), quality, subsampling)
    return blank[: _scan_offset(blank)]


def _scan_offset(data: bytes) -> int:
    """The offset of the coded data."""
    at = data.index(_SCAN) + len(_SCAN)
    return at + int.from_bytes(data[at : at + 2], "big")
