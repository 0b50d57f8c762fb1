"""The assets that a worker has at hand, decoded, resized and flipped once, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from cachetools import LRUCache
from PIL import Image

from depthmask.data import Background, Foreground, Layer, Size, UInt8
from depthmask.source.base import Source

CACHE_BYTES = 96 << 20
"""For backgrounds, and again for cut-outs: 96 MiB hold 290 backgrounds of 160x160 with depth."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class CutOut:
    """A foreground at the size and flip of a layer.

    rgb: uint8 [h, w, 3], straight colours. alpha: uint8 [h, w]. alpha_sum: of all pixels.
    """

    rgb: UInt8
    alpha: UInt8
    alpha_sum: int


class Library:
    """Backgrounds, foregrounds and cut-outs by key; a worker's only way to them."""

    def __init__(self, source: Source, size: Size, background: Callable[[str], Background]) -> None:
        self._source = source
        self._size = size
        self._make_background = background
        self._backgrounds = _Bounded[Background](_background_bytes)
        self._foregrounds = _Bounded[Foreground](lambda one: one.rgba.nbytes)
        self._cut_outs = _Bounded[CutOut](lambda one: one.rgb.nbytes + one.alpha.nbytes)

    def background(self, key: str) -> Background:
        """The background, completed with geometry where a stage reads it."""
        return self._backgrounds.get(key, lambda: self._make_background(key))

    def foreground(self, key: str) -> Foreground:
        """The prepared foreground."""
        return self._foregrounds.get(key, lambda: self._source.foreground(key, self._size))

    def cut_out(self, layer: Layer) -> CutOut:
        """The layer's foreground at the layer's size and flip."""
        key = (layer.foreground, layer.height, layer.width, layer.flip)
        return self._cut_outs.get(key, lambda: _cut_out(self.foreground(layer.foreground), layer))


class _Bounded(Generic[V]):
    """A cache that forgets the least recently used values beyond `CACHE_BYTES`."""

    def __init__(self, measure: Callable[[V], int]) -> None:
        self._cache: LRUCache[Hashable, V] = LRUCache(CACHE_BYTES, getsizeof=measure)

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        value: Any = self._cache.get(key)
        if value is None:
            value = make()
            if self._cache.getsizeof(value) <= self._cache.maxsize:
                self._cache[key] = value
        return value


def _background_bytes(background: Background) -> int:
    depth_m = background.depth_m
    return background.image.nbytes + (0 if depth_m is None else depth_m.nbytes)


def _cut_out(foreground: Foreground, layer: Layer) -> CutOut:
    rgba = foreground.rgba
    if (layer.height, layer.width) != foreground.size:
        # Pillow premultiplies for the resampling of RGBA, so hidden colours do not bleed in.
        resized = Image.fromarray(rgba).resize(
            (layer.width, layer.height), Image.Resampling.LANCZOS
        )
        rgba = np.asarray(resized)
    if layer.flip:
        rgba = rgba[:, ::-1]
    alpha = np.ascontiguousarray(rgba[..., 3])
    return CutOut(np.ascontiguousarray(rgba[..., :3]), alpha, int(alpha.sum(dtype=np.int64)))
