"""depthmask's own format of weights: an `.npz` of plain arrays named `LAYER.WEIGHT`, no pickles."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.errors import UsageError, refuse_machine_errors
from depthmask.networks.weight_file import ArraySpec, WeightFile, printable

MEMBERS_MAX = 20_000
"""The most members of an archive."""


class PlainNpz(WeightFile):
    """An npz archive whose array headers agree with the sizes of its members."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        members = archive.infolist()
        if len(members) > MEMBERS_MAX:
            raise UsageError(f"{path}: more than {MEMBERS_MAX:,} members")
        arrays: dict[str, ArraySpec] = {}
        for member in members:
            name, suffix, rest = member.filename.rpartition(".npy")
            if not suffix or rest:
                raise self.refusal(member.filename, "is no array")
            if name in arrays:
                raise self.refusal(name, "is there twice")
            arrays[name] = self._header(member, name)
        self.arrays = arrays
        self.layers = {name.partition(".")[0] for name in arrays}

    def _header(self, member: zipfile.ZipInfo, name: str) -> ArraySpec:
        """The header of an array; `UsageError` unless the member has the declared size."""
        with self._archive.open(member) as stream:
            # NumPy writes version 1.0 for plain arrays, with a header of at most 64 kB; headers of
            # later versions may declare 4 GB, which NumPy would read.
            if np.lib.format.read_magic(stream) != (1, 0):
                raise self.refusal(name, "is no plain array of NumPy's version 1.0")
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            header = stream.tell()
        if dtype.kind != "f" or dtype.itemsize not in (2, 4):
            raise self.refusal(name, f"has type {dtype}, expected float16 or float32")
        declared = math.prod(shape) * dtype.itemsize
        if header + declared != member.file_size:
            raise self.refusal(
                name,
                f"declares shape {list(shape)}, {declared:,} bytes, "
                f"and has {member.file_size - header:,}",
            )
        return ArraySpec(shape, dtype)

    def _read(self, name: str) -> NDArray[Any]:
        with _explained(self.path, name), self._archive.open(f"{name}.npy") as stream:
            return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


@contextmanager
def opened(path: Path) -> Iterator[PlainNpz]:
    """Open a file and check its headers; `UsageError` in one line if they are not as expected."""
    with _explained(path):
        archive = zipfile.ZipFile(path)
    with archive:
        with _explained(path):
            checked = PlainNpz(path, archive)
        yield checked


@contextmanager
def _explained(path: Path, name: str = "") -> Iterator[None]:
    """Turn the errors of zipfile and NumPy for broken files into a `UsageError` of one line."""
    try:
        yield
    except (
        *(OSError, EOFError, ValueError, LookupError, RuntimeError, NotImplementedError),
        *(zipfile.BadZipFile, zlib.error),
    ) as error:
        refuse_machine_errors(path, error)
        what = f"layer {printable(name)}: " if name else ""
        reason = " ".join(str(error).split())
        raise UsageError(f"{path}: {what}cannot be read as plain array data: {reason}") from None
