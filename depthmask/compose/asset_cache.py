"""Keeps the prepared, resized and flipped assets of a worker in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from depthmask.caching import CACHE_BYTES, FifoCache, background_bytes, foreground_bytes
from depthmask.compose.alpha_sum import byte_sum
from depthmask.compose.least_alpha import least_alpha
from depthmask.compose.results import read_only
from depthmask.compose.stored_assets import stored_foreground
from depthmask.data import Background, Float32, Foreground, Layer, Size, UInt8
from depthmask.stage.calls import StageCalls, is_array
from depthmask.stages.blend.base import Blend, Patch
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


@dataclass(frozen=True, slots=True)
class Mender:
    """A blend with colours of its own for foregrounds, and its settings as text, to compare it."""

    blend: Blend = field(compare=False)
    settings: str


class AssetCache:
    """Backgrounds and foregrounds by key, each read from the store once while memory allows."""

    def __init__(
        self,
        source: Source,
        size: Size,
        background: Callable[[str], Background],
        most_bytes: int = 3 * CACHE_BYTES,
        blends: Sequence[Blend] = (),
    ) -> None:
        """most_bytes: of memory for assets. blends: the variants, for the colours of foregrounds.

        Half of the memory is for backgrounds, and little for foregrounds that are scaled, as few
        scales come twice.
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
        self._menders = tuple(map(_mender, blends))

    def background(self, key: str) -> Background:
        """The background, with its geometry if a stage reads that."""
        return self._backgrounds.get(key, lambda: self._make_background(key))

    def foreground(self, key: str) -> Foreground:
        """The prepared foreground."""
        return self._foregrounds.get(key, lambda: stored_foreground(self._source, key, self._size))

    def scaled_foreground(self, layer: Layer, variant: int = 0) -> ScaledForeground:
        """The layer's foreground, scaled and flipped, with the colours for a variant."""
        mender = self._menders[variant] if self._menders else None
        key = (layer.foreground, layer.height, layer.width, layer.flip, mender)
        return self._scaled.get(key, lambda: self._make_scaled(layer, mender))

    def _make_scaled(self, layer: Layer, mender: Mender | None) -> ScaledForeground:
        foreground = self.foreground(layer.foreground)
        # Once for each foreground, since it takes as long as to blend it.
        least = self._least_alphas.get(layer.foreground)
        if least is None:
            least = self._least_alphas[layer.foreground] = least_alpha(
                np.ascontiguousarray(foreground.rgba[..., 3])
            )
        return _scaled(foreground, self._resized(foreground, layer, mender), layer, least)

    def _resized(self, foreground: Foreground, layer: Layer, mender: Mender | None) -> UInt8:
        """The pixels of a foreground at the size of its layer, straight: uint8 [h, w, 4].

        Pillow resizes RGBA premultiplied, so that hidden colours do not bleed in; to keep that form
        saves an eighth of the time. Smaller copies, from which small layers would be resized, save
        another third, but thin objects lose by it: 31 to 34 dB against 40 from the whole.
        """
        size = layer.height, layer.width
        if size == foreground.size:
            return _mended(foreground, mender)
        image = self._premultiplied.get(
            (foreground.key, mender),
            lambda: Image.fromarray(_mended(foreground, mender)).convert("RGBa"),
        )
        resized = image.resize((layer.width, layer.height), Image.Resampling.LANCZOS)
        return np.asarray(resized.convert("RGBA"))


def _mender(blend: Blend) -> Mender | None:
    """What gives the colours of foregrounds for a blend; None if they stay as they are."""
    is_own = type(blend).mended is not Blend.mended
    return Mender(blend, repr(blend)) if is_own else None


def _mended(foreground: Foreground, mender: Mender | None) -> UInt8:
    """The foreground with the colours for a blend; raises `StageError` for anything else."""
    if mender is None:
        return foreground.rgba
    calls, (height, width) = StageCalls(mender.blend, "mended"), foreground.size
    with calls:
        rgb = mender.blend.mended(foreground.rgba)
    if not is_array(rgb, np.uint8, (height, width, 3)):
        raise calls.returned(rgb, f"uint8 [{height}, {width}, 3]")
    return np.dstack([rgb, foreground.rgba[..., 3]])


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
