"""The shapes of objects: polygons, run lengths, and regions of a PNG."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from depthmask import AssetFolder, Size, UInt8
from numpy.typing import NDArray

from depthmask_coco._polygons import outline_length, polygon_mask
from depthmask_coco._rle import counts_mask

_MOST_OUTLINE = 20_000_000
"""The most points of an outline on the fine grid, a gigabyte while it is drawn; that of a square
around 25 megapixels has 100,000."""
_THICK_PX = 2
"""Polygons whose area is smaller than so many times their length are drawn to count their pixels:
all that lie between the middles of pixels, and those that cross themselves."""


class Box(NamedTuple):
    """The edges of a shape in pixels of the photograph, or in shares of it."""

    top: float
    left: float
    bottom: float
    right: float


class Window(NamedTuple):
    """The first row and column of pixels, and how many there are of each."""

    top: int
    left: int
    height: int
    width: int


class Shape(ABC):
    """Where an object is on its photograph. area: in pixels, or as a share of the photograph."""

    __slots__ = ()
    box: Box
    area: float
    is_relative: bool = False

    def scaled(self, size: Size) -> tuple[Box, float]:
        """The box and the area in pixels of a photograph of `size`, of what lies on it."""
        if not self.is_relative:
            return self.box, self.area
        height, width = size
        top, left, bottom, right = self.box
        box = Box(top * height, left * width, bottom * height, right * width)
        return box, self.area * height * width

    def fault(self, size: Size) -> str:
        """Why it cannot be cut out of a photograph of `size`; empty if it can."""
        box, area = self.scaled(size)
        # What is thinner may cover the middle of no pixel.
        is_thin = area < max(1.0, _longest(box) / 2)
        return "its segmentation is empty, or thinner than half a pixel" if is_thin else ""

    @abstractmethod
    def mask(self, size: Size, files: AssetFolder) -> UInt8:
        """uint8 [h, w], 1 where the object is. size: of the photograph. files: below the root."""

    def window(self, size: Size) -> Window:
        """The pixels of a photograph of `size` outside of which the object is not."""
        box = _clipped(Shape.scaled(self, size)[0], size)
        top, left = floor(box.top), floor(box.left)
        return Window(top, left, ceil(box.bottom) - top, ceil(box.right) - left)

    def part(self, size: Size, files: AssetFolder) -> UInt8:
        """As `mask`, of the pixels of `window` alone."""
        top, left, height, width = self.window(size)
        return self.mask(size, files)[top : top + height, left : left + width]

    @abstractmethod
    def identity(self, files: AssetFolder) -> str:
        """A text that differs for other masks of the same size."""


# Frozen, a hundred thousand would take a tenth of a second more.
@dataclass(slots=True)
class Polygons(Shape):
    """The union of polygons.

    points: of all polygons one after another, float64 x, y. ends: the number of points up to the
    end of each polygon.
    """

    points: bytes
    ends: tuple[int, ...]
    box: Box
    area: float
    is_relative: bool = False

    def fault(self, size: Size) -> str:
        """Also for an outline that would take too much memory."""
        count = len(self.points) // 16
        # Only one with many points can be so long.
        if count * 6 * max(size) > _MOST_OUTLINE:
            length = sum(outline_length(points) for points in self._polygons(size))
            if length > _MOST_OUTLINE:
                return "its outline crosses the photograph too often; make it simpler"
        # Without arguments, `super` knows another class: slots make a new one.
        return Shape.fault(self, size)

    def scaled(self, size: Size) -> tuple[Box, float]:
        """As of all shapes; pixels are counted where the shoelace formula tells too little.

        That is so for what is thin or crosses itself, and beyond the photograph.
        """
        box, area = Shape.scaled(self, size)
        top, left, bottom, right = box
        is_inside = top >= 0 and left >= 0 and bottom <= size[0] and right <= size[1]
        if is_inside and area >= _THICK_PX * _longest(box):
            return box, area
        window, inside = self.window(size), _clipped(box, size)
        if min(window.height, window.width) < 1:
            return inside, 0.0
        return inside, float(self._drawn(size, window).sum())

    def mask(self, size: Size, files: AssetFolder) -> UInt8:
        """As pycocotools makes it of each polygon."""
        return self._drawn(size, Window(0, 0, *size))

    def part(self, size: Size, files: AssetFolder) -> UInt8:
        """The window alone is drawn, to the same pixels."""
        return self._drawn(size, self.window(size))

    def _drawn(self, size: Size, window: Window) -> UInt8:
        """uint8 [h, w], a window of the mask."""
        top, left, *shape = window
        mask = np.zeros(shape, np.uint8)
        for points in self._polygons(size):
            mask |= polygon_mask(points, (window.height, window.width), (left, top))
        return mask

    def _polygons(self, size: Size) -> Iterator[NDArray[np.float64]]:
        """Yield the points of each polygon in pixels, float64 [n, 2]."""
        points = np.frombuffer(self.points, np.float64).reshape(-1, 2)
        if self.is_relative:
            points = points * (size[1], size[0])
        for first, end in zip((0, *self.ends[:-1]), self.ends, strict=True):
            yield points[first:end]

    def identity(self, files: AssetFolder) -> str:
        """A hash of the points."""
        return f"{blake2b(self.points, digest_size=16).hexdigest()} {self.ends}"


@dataclass(frozen=True, slots=True)
class RunLengths(Shape):
    """Lengths of runs of 0 and 1 in turn, column by column.

    counts: uint32. size: of the photograph, which they fill.
    """

    counts: bytes
    size: Size
    box: Box
    area: float

    def mask(self, size: Size, files: AssetFolder) -> UInt8:
        """The runs as they are."""
        assert size == self.size, "the check has compared them"
        return counts_mask(np.frombuffer(self.counts, np.uint32), size)

    def identity(self, files: AssetFolder) -> str:
        """A hash of the runs."""
        return blake2b(self.counts, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Region(Shape):
    """The pixels of a PNG that have a value. file: its name below the root."""

    file: str
    value: int
    box: Box
    area: float

    def mask(self, size: Size, files: AssetFolder) -> UInt8:
        """Where the value is."""
        return (files.values(self.file) == self.value).astype(np.uint8)

    def identity(self, files: AssetFolder) -> str:
        """The content of the PNG, and the value."""
        return f"{files.hashes.get(self.file)} {self.value}"


def box_of(xs: Sequence[float], ys: Sequence[float]) -> Box:
    """The box of points."""
    return Box(min(ys), min(xs), max(ys), max(xs))


def _clipped(box: Box, size: Size) -> Box:
    """The part of a box on a photograph of `size`; of no height or width if there is none."""
    height, width = size
    top, bottom = (min(max(one, 0.0), height) for one in (box.top, box.bottom))
    left, right = (min(max(one, 0.0), width) for one in (box.left, box.right))
    return Box(top, left, bottom, right)


def _longest(box: Box) -> float:
    return max(box.bottom - box.top, box.right - box.left)
