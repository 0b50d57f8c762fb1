"""Exact pooled mean and standard deviation from integer sums, and counts of events."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from depthmask.data import Float32, Sample, UInt8
from depthmask.statistics.added import Distribution

_PIXELS = ("image", "mask", "depth")
_THOUSAND: Any = 1000.0
"""Typed Any, since OpenCV's stubs ask for an array although it takes a number."""
_LARGEST_MM = 0xFFFF
"""The largest number of millimetres that 16 bits hold."""
_CHUNK_VALUES = 1 << 17
"""Values in one call of `cv2.norm`.

It returns the square of a root, which for so few values is off by 0.2 at most; rounded, the sum of
squares is exact."""


@dataclass
class Moments:
    """Count, sum and sum of squares of integers, as Python integers, which never overflow."""

    count: int = 0
    total: list[int] = field(default_factory=list)
    squares: list[int] = field(default_factory=list)

    def add(self, count: int, total: list[int], squares: list[int]) -> None:
        """Add `count` values for each channel, by their sums and sums of squares."""
        self.count += count
        self.total = _added_lists(self.total, total)
        self.squares = _added_lists(self.squares, squares)

    def mean(self, unit: float) -> list[float]:
        """The mean of each channel; `unit` is the value of the integer 1."""
        return [unit * total / self.count for total in self.total] if self.count else []

    def std(self, unit: float) -> list[float]:
        """The population standard deviation of each channel."""
        if not self.count:
            return []
        # In integers up to the last division, so that nothing cancels.
        variances = (
            squares * self.count - total * total
            for total, squares in zip(self.total, self.squares, strict=True)
        )
        return [unit * math.sqrt(variance) / self.count for variance in variances]


def _added_lists(a: list[int], b: list[int]) -> list[int]:
    return [x + y for x, y in zip(a, b, strict=True)] if a else list(b)


class Statistics:
    """Statistics of pixels before encoding: image and mask in levels 0..255, depth in millimetres.

    Depth is rounded to millimetres for the sums, without invalid pixels. counts: the samples that
    drew other assets because the first could not be placed (`redrawn`), the number of those draws
    (`redraws`), and the layers that were blended in a simpler way (`blend_fallbacks`). added: the
    statistics of plugins, by name. unmatched: the names of those that are not in `added`, since
    shards measured different quantities by that name.
    """

    def __init__(
        self,
        image: Moments | None = None,
        mask: Moments | None = None,
        depth: Moments | None = None,
        counts: Mapping[str, int] | None = None,
        added: Mapping[str, Distribution] | None = None,
    ) -> None:
        self._image = image or Moments()
        self._mask = mask or Moments()
        self.depth = depth or Moments()
        self.counts = Counter(counts or {})
        self.added = dict(added or {})
        self.unmatched: set[str] = set()
        self._squares = _Squares()
        self._pixels = 0
        self._sums: list[tuple[float, ...]] = []

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Statistics)
            and self._moments() == other._moments()
            and self.counts == other.counts
            and (self.added, self.unmatched) == (other.added, other.unmatched)
        )

    @property
    def image(self) -> Moments:
        """Moments of the images, by channel."""
        self._flush()
        return self._image

    @property
    def mask(self) -> Moments:
        """Moments of the masks."""
        self._flush()
        return self._mask

    def add(self, sample: Sample) -> None:
        """Add the pixels of one sample."""
        # Imported here, since that takes 0.1 s, which would slow down `--help`.
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

    def _flush(self) -> None:
        """Add the collected sums to the moments.

        `add` only appends them to a list, which takes a tenth of the time.
        """
        if self._sums:
            # Each is less than 0.01 off an integer below 2**43, so they are exact when rounded.
            columns = np.rint(np.array(self._sums)).astype(np.uint64).T
            *image, mask, squares = [sum(column.tolist()) for column in columns]
            self._image.add(self._pixels, image, self._squares.take())
            self._mask.add(self._pixels, [mask], [squares])
            self._sums, self._pixels = [], 0

    def add_depth(self, depth: Float32) -> None:
        """Add the pixels of a depth map."""
        # Invalid pixels are 0 and add nothing.
        fits_16_bits = depth.max() <= _LARGEST_MM / 1000
        rows = max(1, _CHUNK_VALUES // depth.shape[1])
        for top in range(0, len(depth), rows):
            self.depth.add(*_moments_mm(depth[top : top + rows], fits_16_bits=fits_16_bits))

    def merge(self, other: Statistics) -> None:
        """Add the sums of other samples."""
        for mine, theirs in zip(self._moments(), other._moments(), strict=True):
            if theirs.count:
                mine.add(theirs.count, theirs.total, theirs.squares)
        self.counts.update(other.counts)
        self.unmatched |= other.unmatched
        for name, distribution in other.added.items():
            total = self.added.setdefault(name, Distribution(distribution.quantity, {}))
            if total.quantity == distribution.quantity:
                total.merge(distribution)
            else:
                self.unmatched.add(name)
        for name in self.unmatched:
            self.added.pop(name, None)

    def as_sums(self) -> dict[str, Any]:
        """The sums and counts as JSON values, for a record."""
        sums = {
            name: {"count": one.count, "sum": one.total, "sum_of_squares": one.squares}
            for name, one in zip(_PIXELS, self._moments(), strict=True)
        }
        added = {name: one.as_sums() for name, one in self.added.items()}
        return {**sums, "counts": dict(self.counts), **({"added": added} if added else {})}

    @classmethod
    def from_sums(cls, sums: dict[str, Any]) -> Statistics:
        """The statistics from the result of `as_sums`."""
        moments = {
            name: Moments(one["count"], one["sum"], one["sum_of_squares"])
            for name, one in sums.items()
            if name in _PIXELS
        }
        added = sums.get("added", {})
        return cls(
            **moments,
            counts=sums["counts"],
            added={str(name): Distribution.from_sums(one) for name, one in added.items()},
        )

    def summary(self) -> dict[str, Any]:
        """Mean and std of each channel: image and mask in 0..1, depth in metres."""
        units = {"image": 1 / 255, "mask": 1 / 255, "depth": 1e-3}
        return {
            name: {"mean": moments.mean(unit), "std": moments.std(unit)}
            for (name, unit), moments in zip(units.items(), self._moments(), strict=True)
            if moments.count
        }

    def added_summary(self) -> dict[str, Any]:
        """The statistics of plugins as JSON values, by name (see `Distribution.summary`)."""
        return {name: one.summary() for name, one in sorted(self.added.items())}

    def _moments(self) -> tuple[Moments, Moments, Moments]:
        return self.image, self.mask, self.depth


def _moments_mm(depth: Float32, *, fits_16_bits: bool) -> tuple[int, list[int], list[int]]:
    """(valid values, sum of their millimetres, sum of squares).

    fits_16_bits: whether 16 bits hold all millimetres. BLAS is not used, since its threads cost 50
    times what they save.
    """
    import cv2

    if fits_16_bits:
        # OpenCV multiplies and rounds in float64 as well, in half the time of the other branch.
        millimetres = cv2.multiply(depth, _THOUSAND, dtype=cv2.CV_16U)
    else:
        millimetres = np.rint(np.multiply(depth, 1000.0, dtype=np.float64))
    total, squares = cv2.sumElems(millimetres)[0], cv2.norm(millimetres, cv2.NORM_L2SQR)
    return cv2.countNonZero(depth), [round(total)], [round(squares)]


class _Squares:
    """Sums of squares of many RGB images, by channel.

    The squares at each position are added over many images first: OpenCV does that in float32, in a
    quarter of the time that the sums of each image's channels take.
    """

    _MOST = 256
    """Images added at each position: 256 squares of a byte are below 2**24, so float32 is exact."""
    _BYTES = 1 << 19
    """Bytes of the sums, which should stay in the core's cache."""

    def __init__(self) -> None:
        self._sums = np.zeros((0, 0), np.float32)
        self._added = 0
        self._totals = [0, 0, 0]

    def add(self, image: UInt8) -> None:
        """Add an image uint8 [h, w, 3], in strips if it is large."""
        import cv2

        height, width, channels = image.shape
        rows = np.ascontiguousarray(image).reshape(height, width * channels)
        if self._sums.shape[1] != rows.shape[1]:
            self._flush()
            strip = max(1, min(height, self._BYTES // (4 * rows.shape[1])))
            self._sums = np.zeros((strip, rows.shape[1]), np.float32)
        strip = len(self._sums)
        for top in range(0, height, strip):
            if self._added == self._MOST:
                self._flush()
            lines = rows[top : top + strip]
            cv2.accumulateSquare(lines, self._sums[: len(lines)])
            self._added += 1

    def take(self) -> list[int]:
        """Return the sums by channel since the last call."""
        self._flush()
        totals, self._totals = self._totals, [0, 0, 0]
        return totals

    def _flush(self) -> None:
        # The total of 2**17 sums, or of a line of 3 * 2**13, is below 2**53, so float64 is exact.
        sums = self._sums.reshape(-1, 3).sum(axis=0, dtype=np.float64)
        self._totals = _added_lists(self._totals, [int(total) for total in sums])
        self._sums[...] = 0
        self._added = 0
