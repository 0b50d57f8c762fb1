"""Crops and resizes the instances of a picture as the picture itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data import BackgroundInstance, Flags, Size


def resized_instance(
    instance: BackgroundInstance, picture: Size, size: Size
) -> BackgroundInstance | None:
    """An instance in the pixels of a picture, on the canvas that the picture is resized to.

    picture, size: (height, width) of the picture, and of the canvas. The picture is cropped at the
    centre, as by `AssetFolder.picture_for`. A pixel of the canvas belongs to the instance if that
    covers at least half of it; all sums are of whole numbers, the same on all processors. None if
    no pixel belongs to it. Keypoints of `instance.meta` are not moved.
    """
    # Its mask may be as large as the picture, and sums take four times the memory.
    inner = _trimmed(instance, instance.mask, instance.top, instance.left)
    if inner is None or picture == size:
        return inner
    rows, columns = (_Axis.of(picture, size, axis) for axis in (0, 1))
    top, covered = rows.covered(inner.mask, inner.top)
    left, covered = columns.covered(covered.T, inner.left)
    return _trimmed(instance, rows.pixel * columns.pixel <= 2 * covered.T, top, left)


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of a picture, in a unit in which all edges of the canvas' pixels are whole numbers.

    length: of the canvas, in its pixels. first: the first edge. pixel: of the canvas. unit: of how
    many a pixel of the picture is.
    """

    length: int
    first: int
    pixel: int
    unit: int

    @classmethod
    def of(cls, picture: Size, size: Size, axis: int) -> _Axis:
        """The axis of a picture that is cropped at the centre and resized to `size`."""
        # The side that is not cropped says how large a pixel of the canvas is: by `crop_box`.
        is_tall = picture[0] * size[1] > picture[1] * size[0]
        before, after = picture[is_tall], size[is_tall]
        first = picture[axis] * after - size[axis] * before
        return cls(size[axis], first, 2 * before, 2 * after)

    def covered(self, values: NDArray[Any], start: int) -> tuple[int, NDArray[np.int64]]:
        """How much each pixel of the canvas is covered, along axis 0, and the first that is.

        values: [n, m], from pixel `start` of the picture on. Returns int64 [k, m].
        """
        low, high = start * self.unit - self.first, (start + len(values)) * self.unit - self.first
        begin = min(max(low // self.pixel, 0), self.length)
        end = max(min(-(-high // self.pixel), self.length), begin)
        edges = np.clip(np.arange(begin, end + 1) * self.pixel - low, 0, high - low)
        whole, rest = (one[:, None] for one in np.divmod(edges, self.unit))
        # Counts of pixels fit in 32 bits, which is half of the memory for a large picture.
        dtype = np.int32 if values.dtype == np.bool_ else np.int64
        totals = np.cumsum(values, axis=0, dtype=dtype)
        before = totals[np.maximum(whole[:, 0] - 1, 0)] * (whole > 0)
        current = values[np.minimum(whole[:, 0], len(values) - 1)]
        return begin, np.diff(before * np.int64(self.unit) + current * rest, axis=0)


def _trimmed(
    instance: BackgroundInstance, mask: Flags, top: int, left: int
) -> BackgroundInstance | None:
    """The instance with the part of a mask that has pixels; None if it has none."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    inner = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return replace(instance, mask=inner, top=top + int(rows[0]), left=left + int(columns[0]))
