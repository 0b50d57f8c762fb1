"""The base class of files of weights: plain arrays, checked before any of them is read."""

from __future__ import annotations

import functools
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32
from depthmask.errors import UsageError


class ArraySpec(NamedTuple):
    """The shape and type of an array, which are known before it is read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """A file of weights that its authors published at `url`. bytes, sha256: None if unknown."""

    name: str
    file: str
    url: str
    bytes: int | None
    sha256: str | None


class WeightFile(ABC):
    """A file of arrays named `LAYER.WEIGHT`, with underscores for slashes in names of layers.

    layers: all layers, with weights or without. arrays: name -> shape and type of each array.
    """

    path: Path
    layers: Collection[str]
    arrays: Mapping[str, ArraySpec]

    def read(self, name: str) -> Float32:
        """An array as float32; `UsageError` unless its numbers are finite."""
        array = self._read(name).astype(np.float32)
        if not np.isfinite(array).all():
            raise self.refusal(name, "holds numbers that are not finite")
        return array

    def refusal(self, name: str, reason: str) -> UsageError:
        """The error for an array or a layer, in one line."""
        layer, _, weight = name.partition(".")
        what = f"layer {printable(layer)}" + (f": {printable(weight)}" if weight else "")
        return UsageError(f"{self.path}: {what}: {reason}")

    @abstractmethod
    def _read(self, name: str) -> NDArray[Any]:
        """An array of `arrays`, in the type of the file."""


def printable(name: str) -> str:
    """A name from an untrusted file as one short line without control characters."""
    text = name.encode("unicode_escape", "backslashreplace").decode("ascii")
    return text if len(text) <= 80 else f"{text[:77]}..."


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal; read again only if its size or time changed."""
    try:
        status = path.stat()
        return _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


@functools.lru_cache(maxsize=16)
def _sha256(path: Path, size: int, time_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
