"""Encodes the labels of a sample as members, and decodes them."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import orjson

from depthmask.codec.members import (
    INSTANCES_PNG,
    LABEL_SUFFIXES,
    MEMBERS,
    RESERVED,
    Member,
    is_label,
    member_of,
)
from depthmask.codec.npz import encode_npz, read_npz
from depthmask.codec.pictures import MOST_PIXELS, decode_any_png, decode_grey
from depthmask.codec.png import encode_png
from depthmask.data import Encoded
from depthmask.errors import DepthmaskError
from depthmask.untrusted import untrusted

_NAME = re.compile("[a-z][a-z0-9_]{0,39}")


class LabelCodec(Enum):
    """How the values of a label are stored."""

    png = "png"
    """uint8 or uint16 [h, w], or uint8 [h, w, 3] RGB, lossless; the size may differ from the
    image's."""
    npz = "npz"
    """An array of integers or floats of any shape, under the label's name in an npz file."""
    json = "json"
    """A JSON value."""
    layers = "layers"
    """A mapping for each layer, in the order of placing; its items join those of the layer in the
    sample's JSON. After them there may be one for each instance of the background."""


@dataclass(frozen=True, slots=True)
class LabelOutput:
    """A label that a stage gives every sample.

    name: its key in `Sample.labels`, small letters, digits and `_`. codec: how it is stored.
    meaning: what its values mean, in one line for the cards and the report. bytes: the estimated
    size in a sample's files.
    """

    name: str
    codec: LabelCodec
    meaning: str
    bytes: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in RESERVED or self.name in MEMBERS:
            # Of Python's own kind, so that the line names the stage that declares the label.
            raise ValueError(
                f"{self.name!r} cannot be the name of a label; use small letters, digits and _, "
                f"and none of {', '.join(sorted(RESERVED))}"
            )
        if not isinstance(self.codec, LabelCodec):
            raise ValueError(f"label {self.name}: codec={self.codec!r} must be a LabelCodec")
        if not isinstance(self.meaning, str) or not self.meaning.isprintable():
            raise ValueError(f"label {self.name}: meaning={self.meaning!r} must be a line of text")
        if not isinstance(self.bytes, int | float | np.number) or not self.bytes >= 0:
            raise ValueError(f"label {self.name}: bytes={self.bytes!r} must be a number of bytes")

    @property
    def member(self) -> str | None:
        """The name of its member, such as `edges.png`; None for values in the sample's JSON."""
        return None if self.codec is LabelCodec.layers else f"{self.name}.{self.codec.value}"

    def checked(self, value: Any) -> Any:
        """The value as readers see it; raises `DepthmaskError` if the codec cannot store it."""
        if self.codec in (LabelCodec.json, LabelCodec.layers):
            return self._plain(value)
        if not isinstance(value, np.ndarray):
            raise self._unfit(value, "an array")
        if self.codec is LabelCodec.npz and value.dtype.kind not in "uif":
            raise self._unfit(value, "an array of integers or floats")
        if self.codec is LabelCodec.png and not _is_picture(value):
            raise self._unfit(value, "uint8 or uint16 [h, w], or uint8 [h, w, 3]")
        return value

    def _plain(self, value: Any) -> Any:
        try:
            plain = orjson.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
            if not _is_equal(plain, value):
                # The standard library refuses dates and NaN, which orjson turns into texts and null
                # without a word. It takes three times as long, which long lists of runs would feel.
                json.dumps(value, allow_nan=False, default=_plain_number)
            return plain
        except (TypeError, ValueError) as error:
            raise DepthmaskError(f"{self.name}: no JSON value: {error}") from None

    def _unfit(self, value: Any, expected: str) -> DepthmaskError:
        is_array = isinstance(value, np.ndarray)
        text = f"{value.dtype} {list(value.shape)}" if is_array else type(value).__name__
        return DepthmaskError(f"{self.name}: {text}; codec {self.codec.name} stores {expected}")


def encode_label(output: LabelOutput, value: Any) -> bytes:
    """The content of the member of a label whose codec is not `layers`."""
    if output.codec is LabelCodec.png:
        return encode_png(np.ascontiguousarray(value))
    if output.codec is LabelCodec.npz:
        return encode_npz({output.name: np.ascontiguousarray(value)})
    return orjson.dumps(value)


def decode_labels(encoded: Encoded) -> dict[str, Any]:
    """The labels of a sample: pictures as arrays, npz files with one array as that array.

    Members in formats of other programs are bytes. Raises `DepthmaskError`, which names the member,
    if one cannot be decoded.
    """
    labels = {}
    for name, data in encoded.members.items():
        member = member_of(name)
        if is_label(member):
            with untrusted(name):
                labels[member.carries] = _decoded(member, data)
    return labels


def _plain_number(value: Any) -> Any:
    """The number, or the lists of numbers, of a NumPy value, as orjson writes it."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON serializable")


def _is_equal(plain: Any, value: Any) -> bool:
    """Whether a value is equal to plain data; False where that cannot be told, as for arrays."""
    try:
        return bool(plain == value)
    except ValueError:
        return False


def _is_picture(array: Any) -> bool:
    grey = array.ndim == 2 and array.dtype in (np.uint8, np.uint16)
    rgb = array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8
    return (grey or rgb) and 0 < array.shape[0] * array.shape[1] <= MOST_PIXELS


def _decoded(member: Member, data: bytes) -> Any:
    if member == INSTANCES_PNG:
        return decode_grey(data, MOST_PIXELS)
    if member.suffix not in LABEL_SUFFIXES or member.carries == member.name:
        return data
    if member.suffix == "png":
        return decode_any_png(data, MOST_PIXELS)
    if member.suffix == "json":
        return orjson.loads(data)
    arrays = read_npz(io.BytesIO(data), len(data))
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays
