"""Reads the protobuf wire format, as far as needed to walk a message in place.

https://protobuf.dev/programming-guides/encoding. This reader is stricter than
protobuf, which skips a field whose wire type is not the declared one. Here that is an error, so
nothing is skipped that a runtime may read in another way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Field: TypeAlias = tuple[int, int, int, memoryview]
"""(field number, wire type, value of a varint, content of any other)."""

_NOTHING = memoryview(b"")
_FIXED = {FIXED64: 8, FIXED32: 4}


class MalformedError(ValueError):
    """The bytes are not a protobuf message, or the message is cut."""


def fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message in order; contents are views, without copies."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if number == 0 or tag >= 1 << 32:
            raise MalformedError(f"field number {number}")
        if wire == VARINT:
            value, at = _varint(message, at)
            yield number, wire, value, _NOTHING
            continue
        if wire == BYTES:
            size, at = _varint(message, at)
        elif wire in _FIXED:
            size = _FIXED[wire]
        else:
            raise MalformedError(f"wire type {wire}")
        if size > len(message) - at:
            raise MalformedError(f"a field of {size:,} bytes with {len(message) - at:,} left")
        yield number, wire, 0, message[at : at + size]
        at += size


def content(field: Field) -> memoryview:
    """The content of a field that must be a message, a string or bytes."""
    number, wire, _, view = field
    if wire != BYTES:
        raise MalformedError(f"field {number} has wire type {wire}")
    return view


def text(field: Field) -> str:
    """The string of a field; invalid UTF-8 is replaced."""
    return bytes(content(field)).decode(errors="replace")


def integer(field: Field) -> int:
    """The number of a field that is not repeated, as int64."""
    number, wire, value, _ = field
    if wire != VARINT:
        raise MalformedError(f"field {number} has wire type {wire}")
    return _signed(value)


def integers(field: Field) -> Iterator[int]:
    """The numbers of a repeated int64 field: a single one or a packed run."""
    if field[1] == VARINT:
        yield integer(field)
        return
    view, at = content(field), 0
    while at < len(view):
        value, at = _varint(view, at)
        yield _signed(value)


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    """(the number at `at`, the position after it)."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            raise MalformedError("it ends within a number")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise MalformedError("a number of more than 10 bytes")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
