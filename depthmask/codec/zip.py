"""A zip archive whose bytes depend on names and contents alone.

Arrays are deflated sample by sample, so that a shard of arrays is never in memory as a whole. There
is no zip64: a shard of more than 4 GiB or 65,535 members is an error.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

import deflate
from zlib_ng import zlib_ng

from depthmask.errors import DepthmaskError

STORED, DEFLATED = 0, 8
_VERSION = 20
_UTF_8 = 1 << 11
"""The flag of a member whose name is not ASCII."""
_MIDNIGHT_1980 = (0, 0x21)
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
MOST_MEMBERS = 0xFFFF - 1
LARGEST = 0xFFFFFFFF - 1
_MARGIN = 2
"""Factor of the estimated size, which is a mean: noisy pictures are up to twice as large."""
_ENTRY = _LOCAL.size + _CENTRAL.size + 2 * 64
"""Bytes of a member beside its content, with a name of 64 characters."""


def most_samples(members: int, size: int) -> int:
    """How many samples of `members` members and about `size` bytes fit into an archive."""
    return min(MOST_MEMBERS // members, LARGEST // (_MARGIN * size + members * _ENTRY))


class ArchiveFullError(DepthmaskError):
    """The archive has no room for another member."""


class ZipStream:
    """Writes members one after another into an open file that can seek."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._directory: list[bytes] = []
        self._position = 0

    def add(self, name: str, data: bytes) -> int:
        """Append a stored member; returns the offset of its content in the archive."""
        return self._append(name, STORED, [data], zlib_ng.crc32(data), len(data))

    def add_deflated(self, name: str, content: Deflated) -> int:
        """Append a deflated member; returns the offset of its first byte."""
        return self._append(name, DEFLATED, content.chunks, content.checksum, content.size)

    def close(self) -> None:
        """Write the central directory."""
        directory = b"".join(self._directory)
        count = len(self._directory)
        self._file.write(directory)
        self._file.write(
            _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), self._position, 0)
        )

    def _append(self, name: str, method: int, chunks: list[bytes], checksum: int, size: int) -> int:
        """Write a member with its header; returns the offset of its first byte."""
        encoded = name.encode()
        flags = 0 if name.isascii() else _UTF_8
        packed = sum(map(len, chunks))
        start = self._position
        self._position += _LOCAL.size + len(encoded) + packed
        if max(self._position, size) > LARGEST or len(self._directory) >= MOST_MEMBERS:
            raise ArchiveFullError(
                f"{name}: the zip archive would pass 4 GiB or {MOST_MEMBERS} members; "
                "choose a smaller shard_size"
            )
        common = (_VERSION, flags, method, *_MIDNIGHT_1980, checksum, packed, size, len(encoded))
        self._directory.append(
            _CENTRAL.pack(b"PK\x01\x02", _VERSION, *common, 0, 0, 0, 0, 0o644 << 16, start)
            + encoded
        )
        self._file.write(_LOCAL.pack(b"PK\x03\x04", *common, 0) + encoded)
        self._file.writelines(chunks)
        return start + _LOCAL.size + len(encoded)


@dataclass(frozen=True, slots=True)
class Deflated:
    """Deflated content of a member. size, checksum: bytes and crc32 of the content itself."""

    chunks: list[bytes]
    size: int
    checksum: int


def deflated(data: bytes) -> Deflated:
    """Deflate the whole content at once by libdeflate, in a third of the time of zlib's level 1."""
    return Deflated([bytes(deflate.deflate_compress(data, 1))], len(data), zlib_ng.crc32(data))


class Deflater:
    """Deflates content piece by piece, so that only the compressed chunks stay in memory.

    Uses zlib-ng, since libdeflate needs the whole content; zlib would take twice as long.
    """

    def __init__(self) -> None:
        self._size = 0
        self._checksum = 0
        self._chunks: list[bytes] = []
        self._compressor = zlib_ng.compressobj(2, zlib_ng.DEFLATED, -zlib_ng.MAX_WBITS)

    def feed(self, data: bytes | memoryview) -> None:
        """Append a piece of the content."""
        self._size += memoryview(data).nbytes
        self._checksum = zlib_ng.crc32(data, self._checksum)
        self._chunks.append(self._compressor.compress(data))

    def finish(self) -> Deflated:
        """The deflated content; nothing can be fed afterwards."""
        self._chunks.append(self._compressor.flush())
        return Deflated(self._chunks, self._size, self._checksum)
