"""NumPy's npz format, written deterministically and read within bounds."""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from depthmask.codec.zip import DEFLATED, STORED, Deflated, ZipStream, deflated
from depthmask.errors import DepthmaskError
from depthmask.untrusted import untrusted

_MOST_ARRAYS = 64
_PLAIN_BYTES = 128 << 20
"""The size to which any file may unpack; larger files may unpack to `_RATIO` times their size."""
_RATIO = 100
"""Photographs deflate to nine tenths of their size, depth to a half, masks to a hundredth."""


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """The header of an `.npy` file; the data follows in C order."""
    file = io.BytesIO()
    description = np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(
        file, {"descr": description, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def deflate_array(array: NDArray[Any]) -> Deflated:
    """The `.npy` file of an array, deflated."""
    return deflated(npy_header(array.dtype, array.shape) + array.tobytes())


def encode_npz(arrays: dict[str, NDArray[Any]]) -> bytes:
    """An npz file with these arrays, in this order."""
    file = io.BytesIO()
    archive = ZipStream(file)
    for name, array in arrays.items():
        archive.add_deflated(f"{name}.npy", deflate_array(array))
    archive.close()
    return file.getvalue()


def read_npz(file: BinaryIO, size: int) -> dict[str, NDArray[Any]]:
    """The plain arrays in an npz file of `size` bytes; call it in `untrusted`.

    `np.load` allocates memory by the shape in a header and unpacks any amount of data; here both
    are checked against the size of the file first.
    """
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        total = sum(info.file_size for info in members)
        if len(members) > _MOST_ARRAYS or total > max(_PLAIN_BYTES, _RATIO * size):
            raise DepthmaskError(
                f"{len(members)} arrays that unpack from {size:,} bytes to {total:,}; no run "
                "writes such files"
            )
        for info in members:
            name = info.filename.removesuffix(".npy")
            with untrusted(repr(name)):
                if name in arrays:
                    raise DepthmaskError("occurs twice")
                arrays[name] = _read_array(archive, info)
    return arrays


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    # LZMA allocates as much memory as its data asks for.
    if info.compress_type not in (STORED, DEFLATED):
        raise DepthmaskError(f"packed by method {info.compress_type}")
    with archive.open(info) as stream:
        # NumPy writes version 1.0 for plain arrays; its header has at most 64 kB.
        if np.lib.format.read_magic(stream) != (1, 0):
            raise DepthmaskError("not an array in version 1.0 of the npy format")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
        length = math.prod(shape) * dtype.itemsize
        if dtype.kind not in "uif" or fortran_order or stream.tell() + length != info.file_size:
            raise DepthmaskError(f"{dtype} {list(shape)} in {info.file_size:,} bytes")
        content = bytearray(length)
        reader = io.BufferedReader(stream)  # type: ignore[type-var]
        # zipfile verifies the checksum at the end of the data.
        if reader.readinto(content) < length or reader.read(1):
            raise DepthmaskError(f"does not have the {length:,} bytes of its header")
    return np.frombuffer(content, dtype).reshape(shape)
