"""Exact pooled mean and standard deviation, from integer sums, and how often things happened."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from depthmask.data import Float32, Sample, UInt8

_THOUSAND: Any = 1000.0
"""A number where OpenCV's types want an array; it takes both."""
_MOST_MM = 0xFFFF
"""Millimetres that 16 bits hold."""
_MOST_AT_ONCE = 1 << 17
"""Values: OpenCV squares the root of their sum of squares, which is 0.2 off at most then."""


@dataclass
class Moments:
    """Count, sum and sum of squares of integers, as Python integers: they never overflow."""

    count: int = 0
    total: list[int] = field(default_factory=list)
    squares: list[int] = field(default_factory=list)

    def add(self, count: int, total: list[int], squares: list[int]) -> None:
        """Add `count` values for each channel, given as sums."""
        self.count += count
        self.total = _plus(self.total, total)
        self.squares = _plus(self.squares, squares)

    def mean(self, unit: float) -> list[float]:
        """Mean for each channel; `unit` is what the integer 1 stands for."""
        return [unit * total / self.count for total in self.total] if self.count else []

    def std(self, unit: float) -> list[float]:
        """Population standard deviation for each channel."""
        if not self.count:
            return []
        # In integers up to the last division: no cancellation.
        variances = (
            squares * self.count - total * total
            for total, squares in zip(self.total, self.squares, strict=True)
        )
        return [unit * math.sqrt(variance) / self.count for variance in variances]


def _plus(a: list[int], b: list[int]) -> list[int]:
    return [x + y for x, y in zip(a, b, strict=True)] if a else list(b)


class Statistics:
    """Of the pixels before any encoding: image and mask in levels of 0..255, depth in millimetres.

    Depth is rounded to the millimetre for the sums, and invalid pixels are left out. counts:
    samples that drew other assets as the first had no place (`redrawn`), and how often (`redraws`);
    cut-outs that the blend left to a plainer way (`blend_fallbacks`).
    """

    def __init__(
        self,
        image: Moments | None = None,
        mask: Moments | None = None,
        depth: Moments | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        self._image = image or Moments()
        self._mask = mask or Moments()
        self.depth = depth or Moments()
        self.counts = Counter(counts or {})
        self._squares = _Squares()
        self._pixels = 0
        self._sums: list[tuple[float, ...]] = []

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Statistics)
            and self._moments() == other._moments()
            and self.counts == other.counts
        )

    @property
    def image(self) -> Moments:
        """Of the images, by channel."""
        self._settle()
        return self._image

    @property
    def mask(self) -> Moments:
        """Of the masks."""
        self._settle()
        return self._mask

    def add(self, sample: Sample) -> None:
        """Add the pixels of one sample."""
        # Here, because its import takes 0.1 s, which `--help` does not have.
        import cv2

        image, mask = sample.image, sample.mask
        self._pixels += mask.size
        self._sums.append(
            (*cv2.sumElems(image)[:3], cv2.sumElems(mask)[0], cv2.norm(mask, cv2.NORM_L2SQR))
        )
        self._squares.add(image)
        if sample.depth is not None:
            self.add_depth(sample.depth)
        if attempt := sample.meta.get("attempt"):
            self.counts.update(redrawn=1, redraws=attempt)
        if fallbacks := sample.meta.get("blend_fallbacks"):
            self.counts.update(blend_fallbacks=fallbacks)

    def _settle(self) -> None:
        """Add what was left for later: a list grows in a tenth of the time of these sums."""
        if self._sums:
            # Each is less than 0.01 off a whole number below 2**43; rounded they are exact.
            columns = np.rint(np.array(self._sums)).astype(np.uint64).T
            *image, mask, squares = [sum(column.tolist()) for column in columns]
            self._image.add(self._pixels, image, self._squares.taken())
            self._mask.add(self._pixels, [mask], [squares])
            self._sums, self._pixels = [], 0

    def add_depth(self, depth: Float32) -> None:
        """Add a depth map alone."""
        # Invalid pixels are 0 and add nothing.
        small = depth.max() <= _MOST_MM / 1000
        rows = max(1, _MOST_AT_ONCE // depth.shape[1])
        for top in range(0, len(depth), rows):
            self.depth.add(*_moments_mm(depth[top : top + rows], small=small))

    def merge(self, other: Statistics) -> None:
        """Add the sums of other samples."""
        for mine, theirs in zip(self._moments(), other._moments(), strict=True):
            if theirs.count:
                mine.add(theirs.count, theirs.total, theirs.squares)
        self.counts.update(other.counts)

    def as_sums(self) -> dict[str, Any]:
        """Plain data for a record."""
        names = ("image", "mask", "depth")
        sums = {
            name: {"count": one.count, "sum": one.total, "sum_of_squares": one.squares}
            for name, one in zip(names, self._moments(), strict=True)
        }
        return {**sums, "counts": dict(self.counts)}

    @classmethod
    def from_sums(cls, sums: dict[str, Any]) -> Statistics:
        """What `as_sums` gave."""
        moments = {
            name: Moments(one["count"], one["sum"], one["sum_of_squares"])
            for name, one in sums.items()
            if name != "counts"
        }
        return cls(**moments, counts=sums["counts"])

    def summary(self) -> dict[str, Any]:
        """Mean and std for each channel: image and mask as parts of 1, depth in metres."""
        units = {"image": 1 / 255, "mask": 1 / 255, "depth": 1e-3}
        return {
            name: {"mean": moments.mean(unit), "std": moments.std(unit)}
            for (name, unit), moments in zip(units.items(), self._moments(), strict=True)
            if moments.count
        }

    def _moments(self) -> tuple[Moments, Moments, Moments]:
        return self.image, self.mask, self.depth


def _moments_mm(depth: Float32, *, small: bool) -> tuple[int, list[int], list[int]]:
    """How many valid values, and the sum and the sum of squares of their millimetres.

    small: whether 16 bits hold them. Not by BLAS: its threads cost 50 times what they save.
    """
    import cv2

    if small:
        # Multiplied and rounded in float64, too: half the time of what follows.
        millimetres = cv2.multiply(depth, _THOUSAND, dtype=cv2.CV_16U)
    else:
        millimetres = np.rint(np.multiply(depth, 1000.0, dtype=np.float64))
    total, squares = cv2.sumElems(millimetres)[0], cv2.norm(millimetres, cv2.NORM_L2SQR)
    return cv2.countNonZero(depth), [round(total)], [round(squares)]


class _Squares:
    """Sums of squares of many RGB pictures, position by position first.

    OpenCV squares and adds bytes as float32: 5 us for 160x160, against 20 us by way of the sum of
    each picture's channels. Exact, since 256 squares of a byte stay below 2**24.
    """

    _MOST = 256
    _BYTES = 1 << 19
    """Of memory: it should stay in the core's cache."""

    def __init__(self) -> None:
        self._sums = np.zeros((0, 0), np.float32)
        self._added = 0
        self._totals = [0, 0, 0]

    def add(self, image: UInt8) -> None:
        """Add uint8 [h, w, 3], in strips where it is large."""
        import cv2

        height, width, channels = image.shape
        rows = np.ascontiguousarray(image).reshape(height, width * channels)
        if self._sums.shape[1] != rows.shape[1]:
            self._settle()
            strip = max(1, min(height, self._BYTES // (4 * rows.shape[1])))
            self._sums = np.zeros((strip, rows.shape[1]), np.float32)
        strip = len(self._sums)
        for top in range(0, height, strip):
            if self._added == self._MOST:
                self._settle()
            part = rows[top : top + strip]
            cv2.accumulateSquare(part, self._sums[: len(part)])
            self._added += 1

    def taken(self) -> list[int]:
        """The sums by channel since this was last called."""
        self._settle()
        totals, self._totals = self._totals, [0, 0, 0]
        return totals

    def _settle(self) -> None:
        # Below 2**53, where float64 is exact: the sums have 2**17 places, or a line of 3 * 2**13.
        sums = self._sums.reshape(-1, 3).sum(axis=0, dtype=np.float64)
        self._totals = _plus(self._totals, [int(total) for total in sums])
        self._sums[...] = 0
        self._added = 0
