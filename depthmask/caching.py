"""Caches values in memory, within a limit, and names the folder for what is kept on disk."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import orjson
import platformdirs

from depthmask.data import Background, Foreground, Meta, UInt8
from depthmask.errors import DepthmaskError, UsageError

CACHE_BYTES = 64 << 20
"""The limit of a cache whose owner names none."""

_FOLDER = "DEPTHMASK_CACHE"
_stores = True
V = TypeVar("V")


class FifoCache(Generic[V]):
    """A cache that drops its oldest values beyond a limit of bytes.

    Dropping the least recently used would be no better, since assets are drawn at random, and a
    plain dict is 30 times as fast as an LRU cache.
    """

    def __init__(self, measure: Callable[[V], int], limit: int = CACHE_BYTES) -> None:
        self._measure = measure
        self._limit = limit
        self._values: dict[Hashable, V] = {}
        self._bytes = 0

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The cached value of a key, or else the result of `make`, which is cached."""
        value = self._values.get(key)
        if value is None:
            value = make()
            self.keep(key, value)
        return value

    def peek(self, key: Hashable) -> V | None:
        """The cached value of a key; None if it is missing."""
        return self._values.get(key)

    def keep(self, key: Hashable, value: V) -> None:
        """Cache a value under a new key, unless it is larger than the whole cache."""
        size = self._measure(value)
        if size > self._limit:
            return
        self._bytes += size
        self._values[key] = value
        while self._bytes > self._limit:
            oldest = next(iter(self._values))
            self._bytes -= self._measure(self._values.pop(oldest))


class PerArray(Generic[V]):
    """Values that are made for arrays that are used more than once, and forgotten with them."""

    def __init__(self, make: Callable[[UInt8], V]) -> None:
        self._make = make
        self._values: dict[int, tuple[weakref.ref[UInt8], V | None]] = {}

    def of(self, array: UInt8) -> V | None:
        """The value of an array, which must not change; None for the first time."""
        identity = id(array)
        if identity not in self._values:
            # Removed together with the array, before another array can have the same id.
            forget = partial(self._values.pop, identity)
            self._values[identity] = weakref.ref(array, forget), None
            return None
        known, value = self._values[identity]
        if value is None:
            value = self._make(array)
            self._values[identity] = known, value
        return value


def background_bytes(background: Background) -> int:
    """The bytes that a background takes in memory."""
    arrays = (background.image, background.depth_m, background.floor)
    total = sum(array.nbytes for array in arrays if array is not None)
    total += sum(one.mask.nbytes + _meta_bytes(one.meta) for one in background.instances)
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
    """The folder named by `DEPTHMASK_CACHE`, or the user's cache folder; deleting it is safe.

    Raises `UsageError` for a user who has no home.
    """
    try:
        named = os.environ.get(_FOLDER) or platformdirs.user_cache_dir("depthmask")
        return Path(named).expanduser()
    except RuntimeError:
        raise UsageError(
            f"this user has no home, and so no cache folder; name one with {_FOLDER}=FOLDER"
        ) from None


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


@contextmanager
def nothing_stored() -> Iterator[None]:
    """Inside the block, nothing is written into the cache folder."""
    global _stores
    _stores = False
    try:
        yield
    finally:
        _stores = True


def stores() -> bool:
    """Whether files may be written into the cache."""
    return _stores
