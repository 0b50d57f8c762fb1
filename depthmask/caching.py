"""Caches prepared assets in memory, within a limit, and slowly computed arrays on disk."""

from __future__ import annotations

import io
import logging
import os
import secrets
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
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
_CHECKSUM_BYTES = 4
_log = logging.getLogger(__name__)
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
        value = self.peek(key)
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
        if size > CACHE_BYTES:
            return
        self._bytes += size
        self._values[key] = value
        while self._bytes > CACHE_BYTES:
            oldest = next(iter(self._values))
            self._bytes -= self._measure(self._values.pop(oldest))


_unwritten: FifoCache[NDArray[Any]] = FifoCache(lambda array: array.nbytes)
"""What could not be written to the disk."""


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


def load_array(name: str, dtype: type[np.generic]) -> NDArray[Any] | None:
    """Read what `store_array` stored; None if it is missing, damaged or has another dtype."""
    try:
        array = _decoded((cache_folder() / name).read_bytes())
    except (OSError, UsageError):
        array = None
    if array is None:
        array = _unwritten.peek(name)
    return array if array is not None and array.dtype == dtype else None


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


def store_array(name: str, array: NDArray[Any]) -> None:
    """Write an array into the cache folder, with a checksum; readers see the whole file or none.

    name: the path in that folder. If nothing can be written, the array is kept in memory.
    """
    if not _stores:
        return
    try:
        with cache_written():
            _write(cache_folder() / name, _encoded(array))
    except DepthmaskError as error:
        _unwritten.keep(name, array)
        _warn(f"later runs repeat work of this one: {error}")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _encoded(array: NDArray[Any]) -> bytes:
    """The array as an npy file, followed by its checksum, which other readers of it ignore."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue() + _checksum(file.getvalue())


def _decoded(content: bytes) -> NDArray[Any] | None:
    """The array of `_encoded`; None if any byte differs."""
    file = memoryview(content)[:-_CHECKSUM_BYTES]
    if content[-_CHECKSUM_BYTES:] != _checksum(file):
        return None
    return np.asarray(np.load(io.BytesIO(file), allow_pickle=False))


def _checksum(content: bytes | memoryview) -> bytes:
    """The CRC-32 of a file: 1.2 MB, a depth map of 480x640, in 0.03 ms, of which BLAKE2 takes 1.3.

    Whoever makes samples reads such files again and again, as far as memory does not suffice.
    """
    from zlib_ng import zlib_ng

    return zlib_ng.crc32(content).to_bytes(_CHECKSUM_BYTES, "little")


@cache
def _warn(text: str) -> None:
    """Warn once; workers leave it to the process that started them, which stores first."""
    # Imported here, since most commands start no process.
    from multiprocessing import parent_process

    if parent_process() is None:
        _log.warning("%s", text)
