"""A cache of prepared assets in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from depthmask.data import Background, Foreground

CACHE_BYTES = 64 << 20
"""For each kind: 64 MiB hold 370 backgrounds of 160x160 with depth (some 300 with a floor), or 740
cut-outs of 150x150."""

V = TypeVar("V")


class Bounded(Generic[V]):
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
