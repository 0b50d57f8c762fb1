"""Files of weights: looked over before anything is read, plain numbers and nothing else."""

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


class Spec(NamedTuple):
    """What a file says about an array, known without reading it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Published:
    """A file of weights and where its authors put it. bytes, sha256: None where not known."""

    name: str
    file: str
    url: str
    bytes: int | None
    sha256: str | None


class WeightFile(ABC):
    """A file of named arrays: `LAYER.WEIGHT`, slashes in a layer's name written as underscores.

    layers: every layer that it names, with weights or without. arrays: what they hold.
    """

    path: Path
    layers: Collection[str]
    arrays: Mapping[str, Spec]

    def read(self, name: str) -> Float32:
        """One array as float32; UsageError unless its numbers are finite."""
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
        """One array of `arrays`, as it is in the file."""


def printable(name: str) -> str:
    """A name out of a file that nobody vouches for: one line, no control characters, not long."""
    text = name.encode("unicode_escape", "backslashreplace").decode("ascii")
    return text if len(text) <= 80 else f"{text[:77]}..."


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal; read again only if its size or time has changed."""
    try:
        status = path.stat()
        return _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


@functools.lru_cache(maxsize=16)
def _sha256(path: Path, size: int, time_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
