"""Keeps the prepared, resized and flipped assets of a worker in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from depthmask.caching import CACHE_BYTES, FifoCache, background_bytes, foreground_bytes
from depthmask.compose.alpha_sum import byte_sum
from depthmask.compose.least_alpha import least_alpha
from depthmask.compose.results import read_only
from depthmask.compose.stored_assets import stored_foreground
from depthmask.data import Background, Float32, Foreground, Layer, Size, UInt8
from depthmask.stages.blend.base import Patch
from depthmask.stages.source.base import Source


@dataclass(frozen=True, slots=True)
class ScaledForeground:
    """A foreground, scaled and flipped for a layer.

    alpha_sum: the sum of its alpha. least_alpha: from this alpha on, a pixel belongs to it. relief:
    float32 [h, w], how far each pixel lies behind the foot point, relative to the height of the
    foreground, or None.
    """

    patch: Patch
    alpha_sum: int
    least_alpha: int
    relief: Float32 | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.patch.nbytes + (0 if self.relief is None else self.relief.nbytes)


class AssetCache:
    """Backgrounds and foregrounds by key, each read from the store once while memory allows."""

    def __init__(
        self,
        source: Source,
        size: Size,
        background: Callable[[str], Background],
        most_bytes: int = 3 * CACHE_BYTES,
    ) -> None:
        """most_bytes: of memory for assets.

        Half of it is for backgrounds, and little for foregrounds that are scaled, as few scales
        come twice.
        """
        self._source = source
        self._size = size
        self._make_background = background
        scaled = min(CACHE_BYTES, most_bytes // 6)
        of_foregrounds = most_bytes - most_bytes // 2 - scaled
        self._backgrounds = FifoCache[Background](background_bytes, most_bytes // 2)
        self._foregrounds = FifoCache[Foreground](foreground_bytes, of_foregrounds // 2)
        self._premultiplied = FifoCache[Image.Image](_image_bytes, of_foregrounds // 2)
        self._scaled = FifoCache[ScaledForeground](lambda one: one.nbytes, scaled)
        self._least_alphas: dict[str, int] = {}

    def background(self, key: str) -> Background:
        """The background, with its geometry if a stage reads that."""
        return self._backgrounds.get(key, lambda: self._make_background(key))

    def foreground(self, key: str) -> Foreground:
        """The prepared foreground."""
        return self._foregrounds.get(key, lambda: stored_foreground(self._source, key, self._size))

    def scaled_foreground(self, layer: Layer) -> ScaledForeground:
        """The layer's foreground, scaled and flipped."""
        key = (layer.foreground, layer.height, layer.width, layer.flip)
        return self._scaled.get(key, lambda: self._make_scaled(layer))

    def _make_scaled(self, layer: Layer) -> ScaledForeground:
        foreground = self.foreground(layer.foreground)
        # Once for each foreground, since it takes as long as to blend it.
        least = self._least_alphas.get(layer.foreground)
        if least is None:
            least = self._least_alphas[layer.foreground] = least_alpha(
                np.ascontiguousarray(foreground.rgba[..., 3])
            )
        return _scaled(foreground, self._resized(foreground, layer), layer, least)

    def _resized(self, foreground: Foreground, layer: Layer) -> UInt8:
        """The pixels of a foreground at the size of its layer, straight: uint8 [h, w, 4].

        Pillow resizes RGBA premultiplied, so that hidden colours do not bleed in; to keep that form
        saves an eighth of the time. Smaller copies, from which small layers would be resized, save
        another third, but thin objects lose by it: 31 to 34 dB against 40 from the whole.
        """
        size = layer.height, layer.width
        if size == foreground.size:
            return foreground.rgba
        image = self._premultiplied.get(
            foreground.key, lambda: Image.fromarray(foreground.rgba).convert("RGBa")
        )
        resized = image.resize((layer.width, layer.height), Image.Resampling.LANCZOS)
        return np.asarray(resized.convert("RGBA"))


def _image_bytes(image: Image.Image) -> int:
    return 4 * image.width * image.height


def _scaled(foreground: Foreground, rgba: UInt8, layer: Layer, least: int) -> ScaledForeground:
    """A foreground as its layer needs it. rgba: its pixels at the size of the layer."""
    if layer.flip:
        rgba = rgba[:, ::-1]
    patch = Patch(
        read_only(np.ascontiguousarray(rgba[..., :3])),
        read_only(np.ascontiguousarray(rgba[..., 3])),
    )
    return ScaledForeground(
        patch,
        byte_sum(patch.alpha),
        least,
        read_only(_relief(foreground, layer)),
    )


def _relief(foreground: Foreground, layer: Layer) -> Float32 | None:
    if foreground.relief_m is None or foreground.height_m is None:
        return None
    # From the nearest pixel, since a mean of near and far is the depth of neither.
    relief = np.asarray(
        Image.fromarray(foreground.relief_m / np.float32(foreground.height_m)).resize(
            (layer.width, layer.height), Image.Resampling.NEAREST
        )
    )
    return np.ascontiguousarray(relief[:, ::-1] if layer.flip else relief)
