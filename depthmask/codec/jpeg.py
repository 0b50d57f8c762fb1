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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from depthmask.caching import CACHE_BYTES
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

_OFFSET_BYTES = 40
"""What an offset takes in memory, as an element of a list."""

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


class KeptFiles(Protocol):
    """Keeps the coded files of backgrounds, for other processes and later runs."""

    def get(self, key: str) -> bytes | memoryview | None:
        """The file of a background; None if it is not kept."""

    def keep(self, key: str, content: bytes) -> None:
        """Keep the file of a background."""


class JpegEncoder:
    """Encodes many pictures as `encode_jpeg` does, to the same bytes in less time.

    The strips that pictures share with their background, about half of them, are copied from its
    own file. A background that is not kept for later runs is coded with its second picture, since
    most of it would be wasted on one that has no other. The strips of several pictures are coded
    together as one picture, whose tables and buffers are set up once.
    """

    def __init__(
        self,
        quality: int,
        subsampling: str = "420",
        *,
        optimize: bool = False,
        kept: KeptFiles | None = None,
        most_bytes: int = CACHE_BYTES,
    ) -> None:
        """kept: has coded backgrounds. most_bytes: of memory for them, the newest of which stay."""
        self._settings = quality, subsampling
        self._optimize = optimize
        self._kept = kept
        self._most_bytes = most_bytes
        self._bytes = 0
        self._backgrounds: dict[int, _Background] = {}
        self._seen: set[int] = set()

    def encode(self, images: Sequence[UInt8], sources: Sequence[StripSource | None]) -> list[bytes]:
        """uint8 [h, w, 3] RGB, all of one size -> a file for each.

        sources: the background of each image, None where it is not known.
        """
        height, width = images[0].shape[:2]
        if self._optimize or height % STRIP or len(images) * height > _TALLEST:
            return [
                encode_jpeg(image, *self._settings, optimize=self._optimize) for image in images
            ]
        backgrounds = [None if source is None else self._background(source) for source in sources]
        if len(images) == 1 and backgrounds[0] is None:
            return [encode_jpeg(images[0], *self._settings)]
        new = [
            _touched(None if background is None else source, height)
            for background, source in zip(backgrounds, sources, strict=True)
        ]
        coded = self._coded_strips(images, new)
        head = _head(height, width, *self._settings)
        return [_file(head, *one) for one in zip(backgrounds, new, coded, strict=True)]

    def _background(self, source: StripSource) -> _Background | None:
        """The coded background of a picture; None if it is not coded yet."""
        identity = id(source.background)
        background = self._backgrounds.get(identity)
        if background is None and (content := self._coded_background(source)) is not None:
            # Removed together with the array, before another array can have the same id.
            array = weakref.ref(source.background, lambda _: self._forget(identity))
            offsets = _offsets(content, self._scan_offset(source))
            background = _Background(array, content, offsets)
            self._backgrounds[identity] = background
            self._bytes += background.nbytes
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._backgrounds)))
        return background

    def _forget(self, identity: int) -> None:
        background = self._backgrounds.pop(identity, None)
        if background is not None:
            self._bytes -= background.nbytes

    def _coded_background(self, source: StripSource) -> bytes | memoryview | None:
        """The file of a background; None for its first picture, where it cannot be kept."""
        if self._kept is not None and source.key is not None:
            return self._kept_file(source, self._kept, source.key)
        identity = id(source.background)
        if identity not in self._seen:
            self._seen.add(identity)
            return None
        return encode_jpeg(source.background, *self._settings)

    def _kept_file(self, source: StripSource, kept: KeptFiles, key: str) -> bytes | memoryview:
        """The kept file of a background if it is of this size and these settings, or a new one."""
        content, image = kept.get(key), source.background
        if content is not None and self._fits(content, image):
            return content
        made = encode_jpeg(image, *self._settings)
        kept.keep(key, made)
        return made

    def _fits(self, content: bytes | memoryview, image: UInt8) -> bool:
        """Whether a file is one of the size of a background and of these settings."""
        head = _head(*image.shape[:2], *self._settings)
        if content[: len(head)] != head or content[-len(_END) :] != _END:
            return False
        return len(_offsets(content, len(head))) == len(image) // STRIP + 1

    def _scan_offset(self, source: StripSource) -> int:
        """Where the strips of a background's file begin."""
        return len(_head(*source.background.shape[:2], *self._settings))

    def _coded_strips(self, images: Sequence[UInt8], new: Sequence[range]) -> Iterator[Strips]:
        """The strips of these numbers of each image, all coded as one image."""
        bands = [
            image[numbers.start * STRIP : numbers.stop * STRIP]
            for image, numbers in zip(images, new, strict=True)
            if numbers
        ]
        strips: Iterator[bytes] = iter(())
        if bands:
            stacked = bands[0] if len(bands) == 1 else np.concatenate(bands)
            data = encode_jpeg(stacked, *self._settings)
            strips = iter(_RESTART.split(data[_scan_offset(data) : -len(_END)]))
        return ([next(strips) for _ in numbers] for numbers in new)


@dataclass(frozen=True, slots=True)
class _Background:
    """A background. array: not kept alive by it. content: its file. offsets: of `_offsets`."""

    array: weakref.ref[UInt8]
    content: bytes | memoryview
    offsets: list[int]

    @property
    def nbytes(self) -> int:
        """The bytes that it takes in memory."""
        return len(self.content) + _OFFSET_BYTES * len(self.offsets)


def _offsets(content: bytes | memoryview, scan: int) -> list[int]:
    """Where each strip of a file begins, and where the file ends. scan: the first of them."""
    return [scan, *(mark.end() for mark in _RESTART.finditer(content, scan)), len(content)]


def _touched(source: StripSource | None, height: int) -> range:
    """The numbers of the strips that may differ from those of the background."""
    if source is None:
        return range(height // STRIP)
    return range(source.touched[0] // STRIP, -(-source.touched[1] // STRIP))


def _file(head: bytes, background: _Background | None, new: range, coded: Strips) -> bytes:
    """The file of a picture: strips of these numbers, and between others those of its background.

    A restart marker is between any two strips.
    """
    pieces: list[bytes | memoryview] = [head]
    for number, strip in zip(new, coded, strict=True):
        pieces += strip, _RESTARTS[number % 8]
    if background is None:
        pieces[-1] = _END
        return b"".join(pieces)
    content, offsets = background.content, background.offsets
    pieces[0] = content[: offsets[new.start]]
    if new.stop < len(offsets) - 1:
        pieces.append(content[offsets[new.stop] :])
    elif new:
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
