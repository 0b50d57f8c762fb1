"""PNG for masks and depth maps: one scan-line filter, and the deflate library that suits it.

Masks are deflated by zlib-ng, unfiltered: a sixth of the time of libdeflate for 4 % more bytes.
Depth maps are deflated by libdeflate, in less than half the time in which zlib-ng or zlib make them
as small. ISA-L is faster, but not deterministic: in some 10,000 shards made in workers under load,
a few pictures had other bytes for the same pixels.
"""

from __future__ import annotations

import functools
import struct
from typing import Any, TypeAlias

import deflate
import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from depthmask.data import UInt8

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
_CHANNELS = {colour: channels for channels, colour in _COLOUR_TYPES.items()}
_IDAT_AT = len(_SIGNATURE) + 25
"""The offset after the signature and the header chunk."""
_NONE, _UP = 0, 2
"""Scan-line filters, https://www.w3.org/TR/png-3/#9Filters"""


def encode_png(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """uint8 or uint16, [h, w] grey or [h, w, 3 or 4] -> a PNG file, lossless."""
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    if image.dtype == np.uint8 and channels == 1:
        # Masks, instance maps: a few flat regions.
        lines = np.empty((height, 1 + width), np.uint8)
        lines[:, 0] = _NONE
        lines[:, 1:] = image.reshape(height, width)
        data: bytes | bytearray = zlib_ng.compress(lines.data, 1)
    else:
        data = deflate.zlib_compress(_up(image).data, 1)
    return b"".join((_head(width, height, image.itemsize, channels), _chunk(b"IDAT", data), _END))


Kind: TypeAlias = tuple[int, int]
"""(channels, bytes of a value) of a picture."""
GREY_8, GREY_16, RGB_8 = (1, 1), (1, 2), (3, 1)


def decode_png(data: bytes, most_pixels: int, *kinds: Kind) -> NDArray[Any] | None:
    """The pixels of a file of `encode_png`: uint8 or uint16, [h, w] or [h, w, channels].

    None, before anything is unpacked, if the file is damaged, was written by another program, or is
    of none of these kinds. It takes a quarter of Pillow's time.
    """
    if len(data) < _IDAT_AT + 8:
        return None
    width, height, bits, colour = struct.unpack_from(">IIBB", data, len(_SIGNATURE) + 8)
    channels, itemsize = _CHANNELS.get(colour, 0), bits // 8
    if not 0 < width * height <= most_pixels or (channels, itemsize) not in kinds or bits % 8:
        return None
    packed = data[_IDAT_AT + 8 : -len(_END) - 4]
    if data != b"".join((_head(width, height, itemsize, channels), _chunk(b"IDAT", packed), _END)):
        return None
    stride = 1 + width * channels * itemsize
    unpacked = _unpacked(packed, height * stride)
    if unpacked is None:
        return None
    lines = np.frombuffer(unpacked, np.uint8).reshape(height, stride)
    rows, filters = lines[:, 1:], lines[:, 0]
    if (filters == _UP).all():
        rows = np.add.accumulate(rows, axis=0, dtype=np.uint8)
    elif not (filters == _NONE).all():
        return None
    values = np.ascontiguousarray(rows).view(f">u{itemsize}").astype(f"u{itemsize}")
    return values.reshape((height, width) if channels == 1 else (height, width, channels))


def _unpacked(packed: bytes, size: int) -> bytes | None:
    """The unpacked data; None unless it has exactly `size` bytes."""
    stream = zlib_ng.decompressobj()
    try:
        unpacked: bytes = stream.decompress(packed, size + 1)
    except zlib_ng.error:  # type: ignore[misc]
        return None
    return unpacked if len(unpacked) == size and stream.eof and not stream.unused_data else None


@functools.lru_cache(maxsize=16)
def _head(width: int, height: int, itemsize: int, channels: int) -> bytes:
    """The signature and the header chunk, which all pictures of one size share."""
    fields = (width, height, itemsize * 8, _COLOUR_TYPES[channels], 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", struct.pack(">IIBBBBB", *fields))


def _up(image: NDArray[np.uint8] | NDArray[np.uint16]) -> UInt8:
    """The scan lines with the filter Up: each byte minus the one above, as depth changes slowly."""
    height = len(image)
    rows = image.astype(image.dtype.newbyteorder(">"), copy=False)
    rows = np.ascontiguousarray(rows).reshape(height, -1).view(np.uint8)
    lines = np.empty((height, 1 + rows.shape[1]), np.uint8)
    lines[:, 0] = _UP
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    return lines


def _chunk(kind: bytes, data: bytes | bytearray) -> bytes:
    checksum = zlib_ng.crc32(data, zlib_ng.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


_END = _chunk(b"IEND", b"")
