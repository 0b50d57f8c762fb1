"""Who hides whom: layers -> visible alpha, union mask and instance map.

Layers lie in the order of placing, later ones in front.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depthmask.blend.base import Patch
from depthmask.compose.library import CutOut
from depthmask.data import Background, Layer, Size, UInt8, UInt16
from depthmask.statistics import byte_sum


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a box that lies on the canvas, in canvas and in box coordinates [px]."""

    canvas: tuple[slice, slice]
    box: tuple[slice, slice]
    whole: bool

    @property
    def empty(self) -> bool:
        """Whether box and canvas do not meet."""
        rows, columns = self.canvas
        return bool(rows.start >= rows.stop or columns.start >= columns.stop)


def window(layer: Layer, size: Size) -> Window:
    """Where the layer's box and a canvas of `size` meet."""
    top, left = max(layer.top, 0), max(layer.left, 0)
    bottom = min(layer.top + layer.height, size[0])
    right = min(layer.left + layer.width, size[1])
    return Window(
        canvas=(slice(top, bottom), slice(left, right)),
        box=(
            slice(top - layer.top, bottom - layer.top),
            slice(left - layer.left, right - layer.left),
        ),
        whole=(bottom - top, right - left) == (layer.height, layer.width),
    )


class Cover:
    """The stack of layers on one canvas, and how much of each is still to be seen."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self.mask: UInt8 = np.zeros(size, np.uint8)
        """uint8 [h, w]: union of the alphas, 255 - the product of what they let through."""
        self.instances: UInt8 | UInt16 = self.mask
        """uint8 [h, w]: 1 + the number of the layer that owns the pixel, 0 for the background."""
        self.visible: tuple[float, ...] = ()
        """The visible part of each layer's alpha, 0..1."""
        self.patches: list[tuple[Patch, int, int]] = []
        """For each layer the part of it that is on the canvas, its top and its left there."""
        self._seen: list[UInt8] = []
        self._sums: list[int] = []

    def add(self, layer: Layer, cut_out: CutOut, *, min_visible: float, max_overlap: float) -> bool:
        """Put a layer in front, unless it, or one behind it, would show too little."""
        meet = window(layer, self._size)
        if meet.empty:
            return False
        patch = cut_out.patch.window(*meet.box)
        alpha = patch.alpha
        on_canvas = cut_out.alpha_sum if meet.whole else byte_sum(alpha)
        if on_canvas == 0 or on_canvas < min_visible * cut_out.alpha_sum:
            return False
        if not self._sums:
            self._put_first(alpha, meet)
            self._account([on_canvas], cut_out)
        elif not self._put_in_front(alpha, meet, on_canvas, cut_out, min_visible, max_overlap):
            return False
        self.patches.append((patch, meet.canvas[0].start, meet.canvas[1].start))
        return True

    def _put_first(self, alpha: UInt8, meet: Window) -> None:
        # Here, because its import takes 0.1 s, which `--help` does not have.
        import cv2

        self.mask[meet.canvas] = alpha
        self.instances = np.empty(self._size, np.uint8)
        cv2.threshold(self.mask, 127, 1, cv2.THRESH_BINARY, self.instances)

    def _put_in_front(
        self,
        alpha: UInt8,
        meet: Window,
        on_canvas: int,
        cut_out: CutOut,
        min_visible: float,
        max_overlap: float,
    ) -> bool:
        if len(self._sums) == 1:
            # Not before it is needed: most scenes have one layer.
            self._seen = [self.mask.copy()]
        passing = 255 - alpha.astype(np.uint16)
        below = self.mask[meet.canvas]
        overlap = byte_sum(np.minimum(below, alpha))
        if overlap > max_overlap * on_canvas:
            return False
        hidden = [_over_255(seen[meet.canvas] * passing) for seen in self._seen]
        sums = [
            byte_sum(seen) - byte_sum(seen[meet.canvas] - left)
            for seen, left in zip(self._seen, hidden, strict=True)
        ]
        if any(now < min_visible * whole for now, whole in zip(sums, self._sums, strict=True)):
            return False
        for seen, left in zip(self._seen, hidden, strict=True):
            seen[meet.canvas] = left
        self.mask[meet.canvas] = 255 - _over_255((255 - below.astype(np.uint16)) * passing)
        number = len(self._sums) + 1
        if number == 256:
            self.instances = self.instances.astype(np.uint16)
        self.instances[meet.canvas][alpha >= 128] = number
        own = np.zeros(self._size, np.uint8)
        own[meet.canvas] = alpha
        self._seen.append(own)
        self._account([*sums, on_canvas], cut_out)
        return True

    def _account(self, seen: list[int], newest: CutOut) -> None:
        self._sums.append(newest.alpha_sum)
        self.visible = tuple(now / whole for now, whole in zip(seen, self._sums, strict=True))


def _over_255(product: UInt16) -> UInt8:
    """X / 255, rounded, for x in 0..65025."""
    total = product + np.uint16(128)
    return ((total + (total >> 8)) >> 8).astype(np.uint8)


def foot_depth(background: Background, layer: Layer) -> float | None:
    """Depth of the background [m] at the middle of the box's lower edge, moved onto the canvas.

    Where that pixel is invalid, the nearest valid one counts; None without any.
    """
    depth_m = background.depth_m
    if depth_m is None:
        return None
    height, width = depth_m.shape
    row = min(max(layer.top + layer.height - 1, 0), height - 1)
    column = min(max(layer.left + layer.width // 2, 0), width - 1)
    if depth_m[row, column] > 0:
        return float(depth_m[row, column])
    rows, columns = np.nonzero(depth_m > 0)
    if not len(rows):
        return None
    nearest = np.argmin((rows - row) ** 2 + (columns - column) ** 2)
    return float(depth_m[rows[nearest], columns[nearest]])
