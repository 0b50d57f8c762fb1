"""PNG for masks and depth maps: one scan-line filter and libdeflate.

Deflating a 160x160 depth map takes 242 us this way and 496 us with zlib, both at level 1, and the
result is smaller. ISA-L takes 142 us, but is not to be had: in some 10,000 shards made in workers
under load, a few pictures came out in other bytes, with the same pixels.
"""

from __future__ import annotations

import struct
import zlib

import deflate
import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
_UP = 2


def encode_png(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """uint8 or uint16, [h, w] grey or [h, w, 3 or 4] -> a PNG file; the same pixels come back."""
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    header = struct.pack(
        ">IIBBBBB", width, height, image.itemsize * 8, _COLOUR_TYPES[channels], 0, 0, 0
    )
    rows = image.astype(image.dtype.newbyteorder(">"), copy=False)
    rows = np.ascontiguousarray(rows).reshape(height, -1).view(np.uint8)
    # Filter "up" (each byte less the one above it) suits masks and depth alike: both are mostly
    # constant or a slope from one row to the next. See https://www.w3.org/TR/png-3/#9Filters
    lines = np.empty((height, 1 + rows.shape[1]), np.uint8)
    lines[:, 0] = _UP
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    data = deflate.zlib_compress(lines.data, 1)
    return b"".join(
        (_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes | bytearray) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
