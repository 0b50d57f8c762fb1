"""Caches: prepared assets in bounded memory, and on disk what can be made again, only slower."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import platformdirs
from numpy.typing import NDArray

from depthmask.data import Background, Foreground

CACHE_BYTES = 64 << 20
"""For each kind: 64 MiB hold 370 backgrounds of 160x160 with depth (some 300 with a floor), or 740
cut-outs of 150x150."""

V = TypeVar("V")


class FifoCache(Generic[V]):
    """A cache that forgets its oldest values beyond `CACHE_BYTES`.

    The oldest, not those least recently used: assets are drawn at random, so that one is as good as
    the other, and a plain dict answers in 0.1 us, cachetools' LRU in 3.
    """

    def __init__(self, measure: Callable[[V], int]) -> None:
        self._measure = measure
        self._values: dict[Hashable, V] = {}
        self._bytes = 0

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value, made now if it is not kept."""
        value = self._values.get(key)
        if value is None:
            value = make()
            self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: V) -> None:
        size = self._measure(value)
        if size > CACHE_BYTES:
            return
        self._bytes += size
        self._values[key] = value
        while self._bytes > CACHE_BYTES:
            oldest = next(iter(self._values))
            self._bytes -= self._measure(self._values.pop(oldest))


def background_bytes(background: Background) -> int:
    """What to measure backgrounds by."""
    arrays = (background.image, background.depth_m, background.floor)
    return sum(array.nbytes for array in arrays if array is not None)


def foreground_bytes(foreground: Foreground) -> int:
    """What to measure cut-outs by."""
    relief = foreground.relief_m
    return foreground.rgba.nbytes + (0 if relief is None else relief.nbytes)


def cache_folder() -> Path:
    """`DEPTHMASK_CACHE`, or the user's cache folder; deleting it costs time only."""
    return Path(os.environ.get("DEPTHMASK_CACHE") or platformdirs.user_cache_dir("depthmask"))


def load_array(path: Path, dtype: type[np.generic]) -> NDArray[Any] | None:
    """What `store_array` put there; None where the file is absent, cut or foreign."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array if isinstance(array, np.ndarray) and array.dtype == dtype else None


def store_array(path: Path, array: NDArray[Any]) -> None:
    """Keep an array; whoever reads meanwhile finds all of it, or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    os.replace(temporary, path)
