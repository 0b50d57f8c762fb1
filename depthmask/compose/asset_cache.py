"""Keeps the prepared, resized and flipped assets of a worker in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from depthmask.caching import CACHE_BYTES, FifoCache, background_bytes, foreground_bytes
from depthmask.compose.least_alpha import least_alpha
from depthmask.compose.results import read_only
from depthmask.compose.stored_assets import stored_foreground
from depthmask.data import Background, Float32, Foreground, Layer, Size, UInt8
from depthmask.kernels.covering import least_depths
from depthmask.kernels.resampling import Window, premultiplied, resample, straight
from depthmask.kernels.sums import byte_sum
from depthmask.stage.calls import StageCalls, is_array
from depthmask.stages.blend.base import Blend, Patch
from depthmask.stages.source.base import Source

_MOST_NEAREST_BYTES = 4 << 20
"""For the least depths of backgrounds, of which each takes a thousandth of its depth map."""


@dataclass(slots=True, eq=False)
class ScaledForeground:
    """A foreground, scaled and flipped for a layer.

    alpha: uint8 [h, w]. make_colours: makes those of a window of it. alpha_sum: the sum of its
    alpha. least_alpha: from this alpha on, a pixel belongs to it. relief: float32 [h, w], how far
    each pixel lies behind the foot point, relative to the height of the foreground, or None.
    """

    alpha: UInt8
    make_colours: Callable[[Window], UInt8]
    alpha_sum: int
    least_alpha: int
    relief: Float32 | None = None
    _colours: UInt8 | None = None
    _uses: int = 0

    def colours(self, window: Window) -> UInt8:
        """The colours of a window, uint8 [h, w, 3], straight.

        Made when a layer is blended, since many proposals do not fit, and the first time no larger
        than the window, since few scales come twice.
        """
        self._uses += 1
        if self._colours is None:
            rows, columns = window
            whole = slice(0, self.alpha.shape[0]), slice(0, self.alpha.shape[1])
            if self._uses == 1 and (rows, columns) != whole:
                return self.make_colours(window)
            self._colours = read_only(self.make_colours(whole))
        return self._colours[window]

    @property
    def patch(self) -> Patch:
        """All of its pixels."""
        rows, columns = self.alpha.shape
        return Patch(self.colours((slice(0, rows), slice(0, columns))), self.alpha)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, with those of the colours that may come."""
        return 4 * self.alpha.nbytes + (0 if self.relief is None else self.relief.nbytes)


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

        Most of the memory is for backgrounds, which are larger and often more, and little for
        foregrounds that are scaled, as few scales come twice.
        """
        self._source = source
        self._size = size
        self._make_background = background
        scaled = min(CACHE_BYTES, most_bytes // 6)
        of_backgrounds = most_bytes * 5 // 8
        of_foregrounds = most_bytes - of_backgrounds - scaled
        self._backgrounds = FifoCache[Background](background_bytes, of_backgrounds)
        self._foregrounds = FifoCache[Foreground](foreground_bytes, of_foregrounds // 2)
        # Of both together, five bytes for each pixel.
        half = of_foregrounds - of_foregrounds // 2
        self._premultiplied = FifoCache[UInt8](lambda one: one.nbytes, half * 4 // 5)
        self._alphas = FifoCache[UInt8](lambda one: one.nbytes, half // 5)
        self._scaled = FifoCache[ScaledForeground](lambda one: one.nbytes, scaled)
        self._nearest_m = FifoCache[Float32](lambda one: one.nbytes, _MOST_NEAREST_BYTES)
        self._least_alphas: dict[str, int] = {}
        self._menders = tuple(map(_mender, blends))

    def background(self, key: str) -> Background:
        """The background, with its geometry if a stage reads that."""
        return self._backgrounds.get(key, lambda: self._make_background(key))

    def nearest_m(self, key: str, depth_m: Float32) -> Float32:
        """The least depths in blocks of a background, of which this is the depth."""
        return self._nearest_m.get(key, lambda: least_depths(depth_m))

    def foreground(self, key: str) -> Foreground:
        """The prepared foreground."""
        return self._foregrounds.get(key, lambda: stored_foreground(self._source, key, self._size))

    def alpha(self, foreground: Foreground) -> UInt8:
        """The alpha of a prepared foreground, a quarter of what would be read from its pixels."""
        return self._alphas.get(
            foreground.key, lambda: np.ascontiguousarray(foreground.rgba[..., 3])
        )

    def scaled_foreground(self, layer: Layer, variant: int = 0) -> ScaledForeground:
        """The layer's foreground, scaled and flipped, with the colours for a variant."""
        mender = self._menders[variant] if self._menders else None
        key = (layer.foreground, layer.height, layer.width, layer.flip, mender)
        return self._scaled.get(key, lambda: self._make_scaled(layer, mender))

    def _make_scaled(self, layer: Layer, mender: Mender | None) -> ScaledForeground:
        foreground = self.foreground(layer.foreground)
        size = layer.height, layer.width
        alpha = self.alpha(foreground)
        # Once for each foreground, since it takes as long as to blend it.
        least = self._least_alphas.get(layer.foreground)
        if least is None:
            least = self._least_alphas[layer.foreground] = least_alpha(alpha)
        if size == foreground.size:
            alpha = _flipped(alpha, layer.flip)
        else:
            alpha = resample(alpha, size, flip=layer.flip)
        alpha = read_only(alpha)
        return ScaledForeground(
            alpha,
            lambda window: self._colours(foreground, layer, mender, window),
            byte_sum(alpha),
            least,
            read_only(_relief(foreground, layer)),
        )

    def _colours(
        self, foreground: Foreground, layer: Layer, mender: Mender | None, window: Window
    ) -> UInt8:
        """The colours of a window of a layer, straight: uint8 [h, w, 3].

        Foregrounds are kept premultiplied, so that hidden colours do not bleed in. Smaller copies,
        from which small layers would be resized, save a third, but thin objects lose by it: 31 to
        34 dB against 40 from the whole.
        """
        rows, columns = window
        if layer.flip:
            columns = slice(layer.width - columns.stop, layer.width - columns.start)
        size = layer.height, layer.width
        if size == foreground.size:
            return _flipped(_opaque(_mended(foreground, mender)[rows, columns]), layer.flip)
        pixels = self._premultiplied.get(
            (foreground.key, mender), lambda: premultiplied(_mended(foreground, mender))
        )
        return straight(resample(pixels, size, window=(rows, columns), flip=layer.flip))


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
    return _with_colours(foreground.rgba, rgb)


def _with_colours(rgba: UInt8, rgb: UInt8) -> UInt8:
    """uint8 [h, w, 4]: the alpha of one with the colours of the other."""
    import cv2

    result = np.empty(rgba.shape, np.uint8)
    # In a sixth of the time of NumPy's `dstack`.
    cv2.mixChannels([rgb, rgba], [result], [0, 0, 1, 1, 2, 2, 6, 3])
    return result


def _opaque(rgba: UInt8) -> UInt8:
    """The colours of uint8 [h, w, 4] without its alpha."""
    import cv2

    # In a thirtieth of the time in which NumPy or `cv2.flip` copy three channels of four.
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)


def _flipped(pixels: UInt8, flip: bool) -> UInt8:
    """The pixels, mirrored or not, side by side in memory."""
    import cv2

    # In a tenth of the time of NumPy's copy of reversed columns.
    return np.asarray(cv2.flip(pixels, 1), np.uint8) if flip else np.ascontiguousarray(pixels)


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
