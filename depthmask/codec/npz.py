"""NumPy's npz, written with the same bytes each time, and read with bounds; `np.load` reads it."""

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
"""A file may always unpack to this much; beyond it, to `_RATIO` times its own size."""
_RATIO = 100
"""Photographs deflate to nine tenths, depth to a half, flat masks to a hundredth."""


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """The first bytes of an `.npy` file, before the data in C order."""
    file = io.BytesIO()
    description = np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(
        file, {"descr": description, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def deflate_array(array: NDArray[Any]) -> Deflated:
    """The `.npy` file of a whole array, deflated."""
    return deflated(npy_header(array.dtype, array.shape) + array.tobytes())


def encode_npz(arrays: dict[str, NDArray[Any]]) -> bytes:
    """An npz file with these arrays, in their order."""
    file = io.BytesIO()
    archive = ZipStream(file)
    for name, array in arrays.items():
        archive.add_deflated(f"{name}.npy", deflate_array(array))
    archive.close()
    return file.getvalue()


def read_npz(file: BinaryIO, size: int) -> dict[str, NDArray[Any]]:
    """The plain arrays in an npz file of `size` bytes; call it in `untrusted`.

    `np.load` believes a header's shape before it has seen the data, and unpacks what it finds,
    however much that is; here both are held against the size of the file.
    """
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        total = sum(info.file_size for info in members)
        if len(members) > _MOST_ARRAYS or total > max(_PLAIN_BYTES, _RATIO * size):
            raise DepthmaskError(
                f"{len(members)} arrays that unpack from {size:,} bytes to {total:,}; no dataset "
                "of ours does"
            )
        for info in members:
            name = info.filename.removesuffix(".npy")
            with untrusted(repr(name)):
                if name in arrays:
                    raise DepthmaskError("is there twice")
                arrays[name] = _read_array(archive, info)
    return arrays


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    # LZMA would take the memory that the data asks for.
    if info.compress_type not in (STORED, DEFLATED):
        raise DepthmaskError(f"packed by method {info.compress_type}")
    with archive.open(info) as stream:
        # Version 1.0 is what NumPy writes for plain arrays; its header has 64 kB at most.
        if np.lib.format.read_magic(stream) != (1, 0):
            raise DepthmaskError("no plain array of NumPy's version 1.0")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
        length = math.prod(shape) * dtype.itemsize
        if dtype.kind not in "uif" or fortran_order or stream.tell() + length != info.file_size:
            raise DepthmaskError(f"{dtype} {list(shape)} in {info.file_size:,} bytes")
        content = bytearray(length)
        reader = io.BufferedReader(stream)  # type: ignore[type-var]
        # At the end of the data zipfile looks at the checksum.
        if reader.readinto(content) < length or reader.read(1):
            raise DepthmaskError(f"has not the {length:,} bytes that it says")
    return np.frombuffer(content, dtype).reshape(shape)
