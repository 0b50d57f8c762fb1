"""Occlusion: the order of layers, their visible alpha, and the union mask.

Layers are ordered by depth; a layer without depth lies in front of earlier ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from depthmask.compose.alpha_sum import byte_sum
from depthmask.compose.asset_cache import ScaledForeground
from depthmask.data import Float32, Foreground, Layer, LayerPixels, Size, UInt8, UInt16
from depthmask.stages.blend.base import Patch

_SURELY = 0.8
"""The visible fraction is estimated before scaling, which moves it by a few percent at most."""


@dataclass(frozen=True, slots=True)
class Window:
    """The intersection of a box with the canvas: rows and columns of the canvas, and of the box.

    is_whole: whether the box lies within the canvas.
    """

    canvas: tuple[slice, slice]
    box: tuple[slice, slice]
    is_whole: bool

    @property
    def empty(self) -> bool:
        """Whether the box lies outside of the canvas."""
        rows, columns = self.canvas
        return bool(rows.start >= rows.stop or columns.start >= columns.stop)


def intersection(layer: Layer, size: Size) -> Window:
    """The intersection of the layer's box with a canvas of `size`."""
    box_top, box_left = layer.top, layer.left
    box_bottom, box_right = box_top + layer.height, box_left + layer.width
    # Comparisons, since min and max take three times as long.
    top, left = box_top if box_top > 0 else 0, box_left if box_left > 0 else 0
    bottom = box_bottom if box_bottom < size[0] else size[0]
    right = box_right if box_right < size[1] else size[1]
    return Window(
        canvas=(slice(top, bottom), slice(left, right)),
        box=(slice(top - box_top, bottom - box_top), slice(left - box_left, right - box_left)),
        is_whole=top == box_top
        and left == box_left
        and bottom == box_bottom
        and right == box_right,
    )


class Misfit(Enum):
    """Why a layer cannot be added."""

    unseen = "unseen"
    """Too little of it lies on the canvas and in front of the background."""
    crowded = "crowded"
    """It overlaps other layers too much, or hides one, or is hidden by one."""


def box_on_canvas(layer: Layer, size: Size) -> int:
    """The pixels of the layer's box that lie on a canvas of `size`."""
    rows, columns = intersection(layer, size).canvas
    return max(0, rows.stop - rows.start) * max(0, columns.stop - columns.start)


def is_surely_unseen(layer: Layer, foreground: Foreground, size: Size, min_visible: float) -> bool:
    """Whether so little of a large layer is on the canvas that `LayerStack.add` must refuse it.

    To scale it only to find that out may take seconds and gigabytes. False for any layer that is
    smaller than the canvas, or of which enough may be seen.
    """
    if layer.height * layer.width <= size[0] * size[1]:
        return False
    shared = intersection(layer, size)
    if shared.empty:
        return True
    alpha = foreground.rgba[:, :: -1 if layer.flip else 1, 3]
    rows, columns = shared.box
    window = alpha[
        _scaled_span(rows, foreground.size[0] / layer.height),
        _scaled_span(columns, foreground.size[1] / layer.width),
    ]
    return bool(window.sum() < _SURELY * min_visible * alpha.sum())


def _scaled_span(span: slice, scale: float) -> slice:
    """The pixels of the prepared foreground of which those of a layer are made, or a few more."""
    return slice(int(span.start * scale), math.ceil(span.stop * scale) + 1)


class LayerStack:
    """The stack of layers on one canvas, and the visible alpha of each.

    A layer with a depth is hidden by nearer pixels of the background and by nearer layers; a layer
    without one lies in front of all earlier layers.
    """

    def __init__(self, size: Size, depth_m: Float32 | None = None, tolerance: float = 0.0) -> None:
        self._size = size
        self._depth_m = depth_m
        self._tolerance = tolerance
        self.mask: UInt8 = np.zeros(size, np.uint8)
        """uint8 [h, w]: the union of the alphas, 255 minus the product of their complements."""
        self.visible: tuple[float, ...] = ()
        """The visible fraction of each layer's alpha, 0..1, in the order of placing."""
        self._stack: list[_StackedLayer] = []
        self._order: list[_StackedLayer] = []

    @property
    def patches(self) -> list[tuple[Layer, Patch, int, int]]:
        """(layer, its pixels on the canvas, top, left) from back to front."""
        return [
            (one.layer, Patch(one.rgb, one.alpha), one.pixels.top, one.pixels.left)
            for one in self._stack
        ]

    @property
    def layers(self) -> list[tuple[Layer, LayerPixels]]:
        """The layers with their pixels, from back to front."""
        return [(one.layer, one.pixels) for one in self._stack]

    @property
    def layer_pixels(self) -> list[LayerPixels]:
        """The pixels of each layer, from back to front."""
        return [one.pixels for one in self._stack]

    def add(
        self, layer: Layer, scaled: ScaledForeground, *, min_visible: float, max_overlap: float
    ) -> Misfit | None:
        """Add a layer unless it, or a layer behind it, would be hidden too much.

        min_visible, max_overlap: the settings of `Placement`. Returns why it was not added, None if
        it was.
        """
        shared = intersection(layer, self._size)
        if shared.empty:
            return Misfit.unseen
        patch = scaled.patch.window(*shared.box)
        relief = None if scaled.relief is None else scaled.relief[shared.box]
        hidden = self._hidden(layer, shared)
        alpha = patch.alpha if hidden is None else np.where(hidden, np.uint8(0), patch.alpha)
        alpha_sum = scaled.alpha_sum if shared.is_whole and hidden is None else byte_sum(alpha)
        if alpha_sum == 0 or alpha_sum < min_visible * scaled.alpha_sum:
            return Misfit.unseen
        number, (rows, columns) = 1 + len(self._order), shared.canvas
        pixels = LayerPixels(
            number, rows.start, columns.start, alpha, patch.alpha, relief, scaled.least_alpha
        )
        new = _StackedLayer(layer, patch.rgb, pixels, shared.canvas, scaled.alpha_sum, alpha_sum)
        if not self._stack:
            self.mask[shared.canvas] = alpha
            self._stack = [new]
        elif not self._insert(new, min_visible, max_overlap):
            return Misfit.crowded
        self._order.append(new)
        self.visible = tuple(one.visible_sum / one.full_sum for one in self._order)
        return None

    def _hidden(self, layer: Layer, shared: Window) -> NDArray[np.bool_] | None:
        """Where the background is nearer than the layer, bool [h, w]; None if nowhere."""
        if layer.depth_m is None or self._depth_m is None:
            return None
        behind = self._depth_m[shared.canvas]
        # Invalid pixels are 0 and hide nothing, since their depth is unknown.
        hidden = (behind < layer.depth_m * (1 - self._tolerance)) & (behind > 0)
        return hidden if hidden.any() else None

    def _insert(self, new: _StackedLayer, min_visible: float, max_overlap: float) -> bool:
        """Add a layer to those in the stack; returns whether it was added, as `add`."""
        for one in self._stack:
            if one.visible is None:
                # Allocated only for a second layer, since most scenes have one.
                one.visible = one.on_canvas(self._size)
        canvas, alpha = new.canvas, new.alpha
        mask = self.mask[canvas]
        overlap = byte_sum(np.minimum(mask, alpha))
        if overlap > max_overlap * new.visible_sum:
            return False
        position = self._position(new)
        visible = alpha
        for one in self._stack[position:]:
            visible = _over_255(visible * (255 - one.alpha_in(canvas).astype(np.uint16)))
        transparency = 255 - alpha.astype(np.uint16)
        changes = []
        for one in self._stack[:position]:
            assert one.visible is not None, "allocated above"
            remaining = _over_255(one.visible[canvas] * transparency)
            lost = byte_sum(one.visible[canvas] - remaining)
            changes.append((one, remaining, one.visible_sum - lost))
        new.visible_sum = byte_sum(visible) if position < len(self._stack) else new.visible_sum
        if new.visible_sum < min_visible * new.full_sum or any(
            new_sum < min_visible * one.full_sum for one, _, new_sum in changes
        ):
            return False
        for one, remaining, new_sum in changes:
            assert one.visible is not None, "allocated above"
            one.visible[canvas], one.visible_sum = remaining, new_sum
        new.visible = np.zeros(self._size, np.uint8)
        new.visible[canvas] = visible
        self.mask[canvas] = 255 - _over_255((255 - mask.astype(np.uint16)) * transparency)
        self._stack.insert(position, new)
        return True

    def _position(self, new: _StackedLayer) -> int:
        """The index in the stack: before the first layer that is nearer, or on top."""
        if new.depth_m is None:
            return len(self._stack)
        for position, one in enumerate(self._stack):
            if one.depth_m is None or one.depth_m < new.depth_m:
                return position
        return len(self._stack)


@dataclass(slots=True)
class _StackedLayer:
    """A layer in the stack.

    rgb, pixels: its pixels within the canvas. canvas: their rows and columns. full_sum: the sum of
    its alpha, also beyond the canvas. visible_sum: the sum of its visible alpha. visible: its
    visible alpha [h, w] on the whole canvas; None while it is the only layer.
    """

    layer: Layer
    rgb: UInt8
    pixels: LayerPixels
    canvas: tuple[slice, slice]
    full_sum: int
    visible_sum: int
    visible: UInt8 | None = None

    @property
    def alpha(self) -> UInt8:
        return self.pixels.alpha

    @property
    def depth_m(self) -> float | None:
        return self.layer.depth_m

    def on_canvas(self, size: Size) -> UInt8:
        """Its alpha [h, w] on a canvas of `size`, 0 outside its box."""
        canvas = np.zeros(size, np.uint8)
        canvas[self.canvas] = self.alpha
        return canvas

    def alpha_in(self, canvas: tuple[slice, slice]) -> UInt8:
        """Its alpha in a window of the canvas, 0 outside its box."""
        rows, columns = canvas
        own_rows, own_columns = self.canvas
        alpha = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        top, bottom = max(rows.start, own_rows.start), min(rows.stop, own_rows.stop)
        left, right = max(columns.start, own_columns.start), min(columns.stop, own_columns.stop)
        if top < bottom and left < right:
            alpha[
                top - rows.start : bottom - rows.start, left - columns.start : right - columns.start
            ] = self.alpha[
                top - own_rows.start : bottom - own_rows.start,
                left - own_columns.start : right - own_columns.start,
            ]
        return alpha


def _over_255(product: UInt16) -> UInt8:
    """`product` / 255, rounded, for 0..65025."""
    total = product + np.uint16(128)
    return ((total + (total >> 8)) >> 8).astype(np.uint8)
