"""The assets that a worker has at hand, decoded, resized and flipped once, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from depthmask.caching import FifoCache, background_bytes, foreground_bytes
from depthmask.data import Background, Float32, Foreground, Layer, Size
from depthmask.stages.blend.base import Patch
from depthmask.stages.source.base import Source
from depthmask.statistics import byte_sum


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
        self._backgrounds = FifoCache[Background](background_bytes)
        self._foregrounds = FifoCache[Foreground](foreground_bytes)
        self._cut_outs = FifoCache[CutOut](lambda one: one.nbytes)

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
