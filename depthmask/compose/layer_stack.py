"""Occlusion: the order of layers, their visible alpha, and the union mask.

Layers are ordered by depth; a layer without depth lies in front of earlier ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from depthmask.compose.asset_cache import ScaledForeground
from depthmask.compose.common_pixels import common_pixels
from depthmask.data import Float32, Layer, LayerPixels, Size, UInt8
from depthmask.kernels.covering import BLOCK, dimmed, least_depths, overlap, uncovered, unite
from depthmask.kernels.sums import byte_sum
from depthmask.stages.blend.base import Patch

_MOST_ALPHA = 255
_SURELY = 0.8
"""The visible fraction is estimated before scaling, which moves it by a few percent at most."""


@dataclass(slots=True)
class Window:
    """The intersection of a box with the canvas: rows and columns of the canvas, and of the box.

    is_whole: whether the box lies within the canvas. Not frozen, since each proposal makes one, and
    a frozen object takes five times as long to make.
    """

    canvas: tuple[slice, slice]
    box: tuple[slice, slice]
    is_whole: bool

    @property
    def area(self) -> int:
        """The pixels of the box that lie on the canvas."""
        rows, columns = self.canvas
        height, width = rows.stop - rows.start, columns.stop - columns.start
        return height * width if height > 0 and width > 0 else 0


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


def _blocks(window: Window) -> tuple[slice, slice]:
    """Rows and columns of the blocks of `least_depths` that a window touches."""
    rows, columns = window.canvas
    return (
        slice(rows.start // BLOCK, -(-rows.stop // BLOCK)),
        slice(columns.start // BLOCK, -(-columns.stop // BLOCK)),
    )


class Misfit(Enum):
    """Why a layer cannot be added."""

    unseen = "unseen"
    """Too little of it lies on the canvas and in front of the background."""
    crowded = "crowded"
    """It overlaps other layers too much, or hides one, or is hidden by one."""


def box_on_canvas(layer: Layer, size: Size) -> int:
    """The pixels of the layer's box that lie on a canvas of `size`."""
    return intersection(layer, size).area


def is_surely_unseen(layer: Layer, alpha: UInt8, size: Size, min_visible: float) -> bool:
    """Whether so little of a large layer is on the canvas that `LayerStack.add` must refuse it.

    To scale it only to find that out may take seconds and gigabytes. False for any layer that is
    smaller than the canvas, or of which enough may be seen. alpha: of the prepared foreground.
    """
    if layer.height * layer.width <= size[0] * size[1]:
        return False
    shared = intersection(layer, size)
    if not shared.area:
        return True
    (height, width), (rows, columns) = alpha.shape, shared.box
    down = _scaled_span(rows, height / layer.height)
    across = _scaled_span(columns, width / layer.width)
    if layer.flip:
        across = slice(max(width - across.stop, 0), width - across.start)
    return byte_sum(alpha[down, across]) < _SURELY * min_visible * byte_sum(alpha)


def _scaled_span(span: slice, scale: float) -> slice:
    """The pixels of the prepared foreground of which those of a layer are made, or a few more."""
    return slice(int(span.start * scale), math.ceil(span.stop * scale) + 1)


class LayerStack:
    """The stack of layers on one canvas, and the visible alpha of each.

    A layer with a depth is hidden by nearer pixels of the background and by nearer layers; a layer
    without one lies in front of all earlier layers.
    """

    def __init__(
        self,
        size: Size,
        depth_m: Float32 | None = None,
        tolerance: float = 0.0,
        nearest_m: Callable[[Float32], Float32] = least_depths,
    ) -> None:
        """nearest_m: gives `least_depths` of `depth_m`; called if a layer has a depth."""
        self._size = size
        self._depth_m = depth_m
        self._tolerance = tolerance
        self._nearest_m = nearest_m
        self.mask: UInt8 = np.zeros(size, np.uint8)
        """uint8 [h, w]: the union of the alphas, 255 minus the product of their complements."""
        self._stack: list[_StackedLayer] = []
        self._order: list[_StackedLayer] = []

    @property
    def visible(self) -> tuple[float, ...]:
        """The visible fraction of each layer's alpha, 0..1, in the order of placing."""
        return tuple([one.visible_sum / one.full_sum for one in self._order])

    @property
    def patches(self) -> list[tuple[Layer, Patch, int, int]]:
        """(layer, its pixels on the canvas, top, left) from back to front."""
        return [(one.layer, one.patch, one.pixels.top, one.pixels.left) for one in self._stack]

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
        shared, least_sum = intersection(layer, self._size), min_visible * scaled.alpha_sum
        # Decides most proposals that do not fit, without their pixels.
        if _MOST_ALPHA * shared.area < least_sum or not shared.area:
            return Misfit.unseen
        own = scaled.alpha[shared.box]
        relief = None if scaled.relief is None else scaled.relief[shared.box]
        alpha = self._uncovered(own, layer, shared)
        alpha_sum = scaled.alpha_sum if shared.is_whole and alpha is own else byte_sum(alpha)
        if alpha_sum == 0 or alpha_sum < least_sum:
            return Misfit.unseen
        number, (rows, columns) = 1 + len(self._order), shared.canvas
        pixels = LayerPixels(
            number, rows.start, columns.start, alpha, own, relief, scaled.least_alpha
        )
        new = _StackedLayer(layer, scaled, pixels, shared, alpha_sum)
        if not self._stack:
            self.mask[shared.canvas] = alpha
            self._stack = [new]
        elif not self._insert(new, min_visible, max_overlap):
            return Misfit.crowded
        self._order.append(new)
        return None

    def _uncovered(self, alpha: UInt8, layer: Layer, shared: Window) -> UInt8:
        """The alpha of a layer that no nearer background hides."""
        if layer.depth_m is None or self._depth_m is None:
            return alpha
        # Invalid pixels are 0 and hide nothing, since their depth is unknown.
        limit_m = layer.depth_m * (1 - self._tolerance)
        nearest_m = self._nearest_m(self._depth_m)
        if nearest_m[_blocks(shared)].min() >= np.float32(limit_m):
            # Most layers, of which no pixel has to be read then.
            return alpha
        return uncovered(alpha, self._depth_m[shared.canvas], limit_m)

    def _insert(self, new: _StackedLayer, min_visible: float, max_overlap: float) -> bool:
        """Add a layer to those in the stack; returns whether it was added, as `add`."""
        mask = self.mask[new.canvas]
        if overlap(mask, new.alpha) > max_overlap * new.visible_sum:
            return False
        position = self._position(new)
        for one in self._stack[position:]:
            if change := one.hides(new):
                change.apply()
        changes = [change for one in self._stack[:position] if (change := new.hides(one))]
        if new.visible_sum < min_visible * new.full_sum or any(
            change.visible_sum < min_visible * change.layer.full_sum for change in changes
        ):
            return False
        for change in changes:
            change.apply()
        unite(mask, new.alpha)
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

    scaled: its foreground. pixels: its pixels within the canvas. window: where they are.
    visible_sum: the sum of its visible alpha. visible: its visible alpha [h, w] in its window; None
    while nothing hides it.
    """

    layer: Layer
    scaled: ScaledForeground
    pixels: LayerPixels
    window: Window
    visible_sum: int
    visible: UInt8 | None = None

    @property
    def patch(self) -> Patch:
        """Its pixels within the canvas."""
        return Patch(self.scaled.colours(self.window.box), self.alpha)

    @property
    def canvas(self) -> tuple[slice, slice]:
        """Rows and columns of its pixels on the canvas."""
        return self.window.canvas

    @property
    def full_sum(self) -> int:
        """The sum of its alpha, also beyond the canvas."""
        return self.scaled.alpha_sum

    @property
    def alpha(self) -> UInt8:
        return self.pixels.alpha

    @property
    def depth_m(self) -> float | None:
        return self.layer.depth_m

    def hides(self, other: _StackedLayer) -> _Change | None:
        """What it changes in a layer behind it; None if their windows are apart."""
        shared = common_pixels(self.pixels, other.pixels)
        if shared is None:
            return None
        own, window = shared
        before = other.alpha if other.visible is None else other.visible
        remaining, lost = dimmed(before[window], self.alpha[own])
        return _Change(other, window, remaining, other.visible_sum - lost)


@dataclass(slots=True)
class _Change:
    """The visible alpha of a layer in a window of it, once another layer is in front of it.

    visible_sum: of all of the layer.
    """

    layer: _StackedLayer
    window: tuple[slice, slice]
    remaining: UInt8
    visible_sum: int

    def apply(self) -> None:
        """Make the change."""
        layer = self.layer
        if layer.visible is None:
            # Copied only now, since most layers are hidden by none.
            layer.visible = layer.alpha.copy()
        layer.visible[self.window], layer.visible_sum = self.remaining, self.visible_sum
