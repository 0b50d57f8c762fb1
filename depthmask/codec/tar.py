"""A tar archive (POSIX ustar) whose bytes depend on names and contents alone.

Headers differ only in name, size and checksum, so the rest is made once: a header takes a fiftieth
of the time of `tarfile`.
"""

from __future__ import annotations

from typing import BinaryIO

from depthmask.errors import DepthmaskError

BLOCK = 512
_LARGEST = 8**11 - 1
"""The most bytes of a member: 11 octal digits."""
_LONGEST_NAME = 99
"""The most bytes of a name in a header."""
_HEADER = b"".join(
    (
        b"%b",  # name
        b"0000644\0" + b"0000000\0" * 2,  # mode, uid, gid
        b"%011o\0",  # size
        b"00000000000\0",  # mtime
        b"%b",  # checksum
        b"%b",  # the kind of member
        bytes(100),  # link name
        b"ustar\x0000",
        bytes(32 + 32),  # user and group names
        b"0000000\0" * 2,  # device
        bytes(155 + 12),  # prefix, padding
    )
)
_BLANK = b" " * 8
"""The checksum field while the checksum is computed."""
_FILE, _LONG_NAME = b"0", b"L"
"""The kinds of members: a regular file, and GNU tar's name of the next member, of any length."""
_REST = sum(_HEADER % (b"", 0, _BLANK, b"")) - sum(b"%011o" % 0)
"""The share of the checksum that is the same for every member."""
_PADDING = [bytes(-size % BLOCK) for size in range(BLOCK)]


class TarStream:
    """Writes members one after another into an open file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._position = 0

    def add(self, name: str, data: bytes) -> int:
        """Append a regular file; returns the offset of its content in the archive."""
        encoded = name.encode()
        if len(encoded) > _LONGEST_NAME:
            self._append(header("././@LongLink", len(encoded) + 1, _LONG_NAME), encoded + b"\0")
        return self._append(header(name, len(data)), data)

    def _append(self, head: bytes, data: bytes) -> int:
        """Write a header and the content of its member; returns the offset of the content."""
        size = len(data)
        self._file.write(b"".join((head, data, _PADDING[size % BLOCK])))
        offset = self._position + BLOCK
        self._position = offset + -(-size // BLOCK) * BLOCK
        return offset

    def close(self) -> None:
        """Write the two empty blocks at the end of the archive."""
        self._file.write(bytes(2 * BLOCK))


def header(name: str, size: int, kind: bytes = _FILE) -> bytes:
    """The 512-byte header of a member; it holds the first 99 bytes of a longer name."""
    encoded = name.encode()[:_LONGEST_NAME]
    if size > _LARGEST:
        raise DepthmaskError(f"{name}: a tar member may have 8 GiB; this one has {size:,} bytes")
    checksum = sum(encoded) + sum(b"%011o" % size) + _REST + sum(kind)
    return _HEADER % (encoded.ljust(100, b"\0"), size, b"%06o\0 " % checksum, kind)
