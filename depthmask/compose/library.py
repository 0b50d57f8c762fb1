"""The assets that a worker has at hand, decoded, resized and flipped once, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from PIL import Image

from depthmask.blend.base import Patch
from depthmask.data import Background, Float32, Foreground, Layer, Size
from depthmask.source.base import Source
from depthmask.statistics import byte_sum

CACHE_BYTES = 64 << 20
"""For each kind: 64 MiB hold 370 backgrounds of 160x160 with depth (some 300 with a floor), or 740
cut-outs of 150x150."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class CutOut:
    """A foreground at the size and flip of a layer.

    alpha_sum: of all its pixels. relief: float32 [h, w], how far each is behind the foot point, by
    the height of the whole, or None.
    """

    patch: Patch
    alpha_sum: int
    relief: Float32 | None = None

    @property
    def nbytes(self) -> int:
        """Of all its arrays."""
        return self.patch.nbytes + (0 if self.relief is None else self.relief.nbytes)


class Library:
    """Backgrounds, foregrounds and cut-outs by key; a worker's only way to them."""

    def __init__(self, source: Source, size: Size, background: Callable[[str], Background]) -> None:
        self._source = source
        self._size = size
        self._make_background = background
        self._backgrounds = _Bounded[Background](_background_bytes)
        self._foregrounds = _Bounded[Foreground](_foreground_bytes)
        self._cut_outs = _Bounded[CutOut](lambda one: one.nbytes)

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
    """A cache that forgets its oldest values beyond `CACHE_BYTES`.

    The oldest, not those least recently used: assets are drawn at random, so that one is as good as
    the other, and a plain dict answers in 0.1 us, cachetools' LRU in 3.
    """

    def __init__(self, measure: Callable[[V], int]) -> None:
        self._measure = measure
        self._values: dict[Hashable, V] = {}
        self._bytes = 0

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
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


def _background_bytes(background: Background) -> int:
    arrays = (background.image, background.depth_m, background.floor)
    return sum(array.nbytes for array in arrays if array is not None)


def _foreground_bytes(foreground: Foreground) -> int:
    relief_m = foreground.relief_m
    return foreground.rgba.nbytes + (0 if relief_m is None else relief_m.nbytes)


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
    patch = Patch(np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3]))
    return CutOut(patch, byte_sum(patch.alpha), _relief(foreground, layer))


def _relief(foreground: Foreground, layer: Layer) -> Float32 | None:
    if foreground.relief_m is None or foreground.height_m is None:
        return None
    # By the nearest pixel: between two parts of a thing there is nothing.
    relief = np.asarray(
        Image.fromarray(foreground.relief_m / np.float32(foreground.height_m)).resize(
            (layer.width, layer.height), Image.Resampling.NEAREST
        )
    )
    return np.ascontiguousarray(relief[:, ::-1] if layer.flip else relief)
