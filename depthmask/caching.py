"""Caches prepared assets in memory, within a limit, and slowly computed arrays on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import orjson
import platformdirs
from numpy.typing import NDArray

from depthmask.data import Background, Foreground, Meta
from depthmask.errors import DepthmaskError, UsageError

CACHE_BYTES = 64 << 20
"""The limit of one cache. 64 MiB hold 370 backgrounds of 160x160 with depth (about 300 with a
floor), or 740 foregrounds of 150x150."""

_FOLDER = "DEPTHMASK_CACHE"
_stores = True
V = TypeVar("V")


class FifoCache(Generic[V]):
    """A cache that drops its oldest values beyond `CACHE_BYTES`.

    Dropping the least recently used would be no better, since assets are drawn at random, and a
    plain dict is 30 times as fast as an LRU cache.
    """

    def __init__(self, measure: Callable[[V], int]) -> None:
        self._measure = measure
        self._values: dict[Hashable, V] = {}
        self._bytes = 0

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The cached value of a key, or else the result of `make`, which is cached."""
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
    """The bytes that a background takes in memory."""
    arrays = (background.image, background.depth_m, background.floor)
    total = sum(array.nbytes for array in arrays if array is not None)
    return total + _meta_bytes(background.meta)


def foreground_bytes(foreground: Foreground) -> int:
    """The bytes that a foreground takes in memory."""
    relief = foreground.relief_m
    total = foreground.rgba.nbytes + (0 if relief is None else relief.nbytes)
    return total + _meta_bytes(foreground.meta)


def _meta_bytes(meta: Meta | None) -> int:
    """About the bytes of metadata, whose objects take some ten times as much as their JSON."""
    return 0 if meta is None else 10 * len(orjson.dumps(meta))


def cache_folder() -> Path:
    """The folder named by `DEPTHMASK_CACHE`, or the user's cache folder; deleting it is safe."""
    try:
        return Path(os.environ.get(_FOLDER) or platformdirs.user_cache_dir("depthmask"))
    except RuntimeError as error:
        # The user has no home.
        raise UsageError(f"no cache folder: {error}; or name one with {_FOLDER}=FOLDER") from None


@contextmanager
def cache_written() -> Iterator[None]:
    """Turn an error of the system in the block, which writes a cache, into one line."""
    try:
        yield
    except OSError as error:
        raise DepthmaskError(
            f"the cache {cache_folder()} cannot be written ({error.strerror}); "
            f"name another folder with {_FOLDER}=FOLDER"
        ) from None


def load_array(path: Path, dtype: type[np.generic]) -> NDArray[Any] | None:
    """Read a file of `store_array`; None if it is missing, damaged or has another dtype."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array if isinstance(array, np.ndarray) and array.dtype == dtype else None


@contextmanager
def nothing_stored() -> Iterator[None]:
    """Inside the block, `store_array` and downloads write nothing."""
    global _stores
    _stores = False
    try:
        yield
    finally:
        _stores = True


def stores() -> bool:
    """Whether files may be written into the cache."""
    return _stores


def store_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array; a concurrent reader sees the whole file or none."""
    if not _stores:
        return
    with cache_written():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        with temporary.open("wb") as file:
            np.save(file, array, allow_pickle=False)
        os.replace(temporary, path)
