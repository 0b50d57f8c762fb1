"""JPEG by OpenCV's libjpeg-turbo, with the accurate transform, coded in strips.

The pixels are those of Pillow's file, in 1 % more bytes. Below quality 96 the "TurboJPEG"
interface, and with it simplejpeg, takes a faster transform that loses 2 dB at quality 95.

A strip has 16 lines of pixels. After each stands a restart marker, as every decoder knows them
(https://www.w3.org/Graphics/JPEG/itu-t81.pdf, E.1.4): there the coder begins anew, so that a
strip's bytes depend on its own pixels alone. Those that a composite has in common with its
background are therefore coded once.
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

from depthmask.data import Rows, UInt8

SUBSAMPLINGS = {"444": 0x111111, "422": 0x211111, "420": 0x221111}
"""Chroma subsampling -> the factors of Y, Cb and Cr as OpenCV takes them."""
_SQUARE = {"444": (8, 8), "422": (8, 16), "420": (16, 16)}
"""The same -> (height, width) in pixels of what is coded at a time."""
STRIP = 16
"""Lines of pixels; a marker, and the bits before it, are some 4 bytes."""
_TALLEST = 65_500
"""Lines of a JPEG file, by libjpeg."""
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
"""Within coded data 0 follows every 255, so it is found nowhere else."""
_RESTARTS = [b"\xff%c" % (0xD0 + number) for number in range(8)]
_SCAN = b"\xff\xda"
_END = b"\xff\xd9"
_WORTH_IT = 3
"""Pictures on the same background, before that is coded itself."""

Strips: TypeAlias = list[bytes]
Origin: TypeAlias = tuple[UInt8 | None, Rows | None]
"""The picture that an image was blended into, the same array for all images on it, and the rows
outside of which both are equal; None where that is not known."""


def encode_jpeg(
    image: UInt8, quality: int, subsampling: str = "420", *, optimize: bool = False
) -> bytes:
    """uint8 [h, w, 3] RGB or [h, w] grey -> a baseline JPEG file.

    optimize: with Huffman tables of its own, and without strips. At quality 50 and 160x160 an image
    takes 104 us instead of 54 and 2,587 bytes instead of 3,025, a mask 43 us instead of 26 and 865
    bytes instead of 1,161.
    """
    # Here, because its import takes 0.1 s, which `--help` does not have.
    import cv2

    options: list[Any] = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if optimize:
        options += [cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    if image.ndim == 2:
        return cv2.imencode(".jpg", image, options)[1].tobytes()
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SUBSAMPLINGS[subsampling]]
    if not optimize:
        height, width = _SQUARE[subsampling]
        squares = STRIP // height * -(-image.shape[1] // width)
        options += [cv2.IMWRITE_JPEG_RST_INTERVAL, squares]
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1].tobytes()


class JpegEncoder:
    """Encodes many pictures as `encode_jpeg` does, to the same bytes in less time.

    Of 160x160 at quality 50, 35 us instead of 54: a cut-out of the reference photographs leaves 4.7
    of 10 strips of the background as they are; and the strips of several pictures are coded as one
    picture, whose tables and buffers are made once.
    """

    def __init__(self, quality: int, subsampling: str = "420", *, optimize: bool = False) -> None:
        self._settings = quality, subsampling
        self._optimize = optimize
        self._backgrounds: dict[int, _Background] = {}

    def encode(self, images: Sequence[UInt8], origins: Sequence[Origin]) -> list[bytes]:
        """uint8 [h, w, 3] RGB, all of one size -> a file for each."""
        height, width = images[0].shape[:2]
        if self._optimize or height % STRIP or len(images) * height > _TALLEST:
            return [
                encode_jpeg(image, *self._settings, optimize=self._optimize) for image in images
            ]
        known = [self._known(origin) for origin in origins]
        if len(images) == 1 and known[0] is None:
            return [encode_jpeg(images[0], *self._settings)]
        # Of each the strips that differ from the background's.
        parts = [
            (0, height // STRIP)
            if strips is None or rows is None
            else (rows[0] // STRIP, -(-rows[1] // STRIP))
            for strips, (_, rows) in zip(known, origins, strict=True)
        ]
        coded = self._coded(
            [
                image[first * STRIP : stop * STRIP]
                for image, (first, stop) in zip(images, parts, strict=True)
            ]
        )
        head = _head(height, width, *self._settings)
        return [
            _file(head, own if strips is None else [*strips[:first], *own, *strips[stop:]])
            for own, strips, (first, stop) in zip(coded, known, parts, strict=True)
        ]

    def _known(self, origin: Origin) -> Strips | None:
        """The strips of a background; None before it has been seen often enough."""
        background, touched = origin
        if background is None or touched is None:
            return None
        number = id(background)
        found = self._backgrounds.get(number)
        if found is None:
            # Forgotten with the array, before another one can have its number.
            forget = partial(self._backgrounds.pop, number)
            found = _Background(weakref.ref(background, forget))
            self._backgrounds[number] = found
        found.seen += 1
        if found.strips is None and found.seen >= _WORTH_IT:
            (found.strips,) = self._coded([background])
        return found.strips

    def _coded(self, parts: Sequence[UInt8]) -> list[Strips]:
        """The strips of each part [lines of strips, w, 3]: all are one picture for the coder."""
        together = np.concatenate(parts)
        if not len(together):
            return [[] for _ in parts]
        data = encode_jpeg(together, *self._settings)
        strips = iter(_RESTART.split(data[_scan_at(data) : -len(_END)]))
        return [[next(strips) for _ in range(len(part) // STRIP)] for part in parts]


@dataclass(slots=True)
class _Background:
    """What is known of a background while its pixels are kept elsewhere. seen: how often."""

    alive: weakref.ref[UInt8]
    seen: int = 0
    strips: Strips | None = None


def _file(head: bytes, strips: Strips) -> bytes:
    pieces = [head]
    for number, strip in enumerate(strips):
        pieces += strip, _RESTARTS[number % 8]
    pieces[-1] = _END
    return b"".join(pieces)


@functools.lru_cache(maxsize=16)
def _head(height: int, width: int, quality: int, subsampling: str) -> bytes:
    """All that stands before the coded data, the same for every picture of a dataset."""
    blank = encode_jpeg(np.zeros((height, width, 3), np.uint8), quality, subsampling)
    return blank[: _scan_at(blank)]


def _scan_at(data: bytes) -> int:
    """Where the coded data begins."""
    at = data.index(_SCAN) + len(_SCAN)
    return at + int.from_bytes(data[at : at + 2], "big")
