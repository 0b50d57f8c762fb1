"""Exact pooled mean and standard deviation from integer sums, and counts of events."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from depthmask.caching import PerArray
from depthmask.data import Float32, Sample
from depthmask.kernels.sums import byte_sums, byte_sums_beside, depth_sums, sums_above
from depthmask.statistics.added import Distribution

_PIXELS = ("image", "mask", "depth")
_sums_above = PerArray(sums_above)
"""Of backgrounds: 48 bytes for each row. Making them takes as long as five pictures' sums."""


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
        self._moments = image or Moments(), mask or Moments(), depth or Moments()
        self.counts = Counter(counts or {})
        self.added = dict(added or {})
        self.unmatched: set[str] = set()
        self._sums: tuple[list[tuple[int, ...]], ...] = ([], [], [])
        """For image, mask and depth: the sums of each sample that are not yet in the moments."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Statistics)
            and self._flushed() == other._flushed()
            and self.counts == other.counts
            and (self.added, self.unmatched) == (other.added, other.unmatched)
        )

    @property
    def image(self) -> Moments:
        """Moments of the images, by channel."""
        return self._flushed()[0]

    @property
    def mask(self) -> Moments:
        """Moments of the masks."""
        return self._flushed()[1]

    @property
    def depth(self) -> Moments:
        """Moments of the depth maps."""
        return self._flushed()[2]

    def add(self, sample: Sample) -> None:
        """Add the pixels of one sample."""
        mask, meta, source = sample.mask, sample.meta, sample.strip_source
        images, masks, _ = self._sums
        size = mask.size
        above = None if source is None else _sums_above.of(source.background)
        if source is None or above is None:
            images.append((size, *byte_sums(sample.image)))
        else:
            # Only what the layers touch is read; other rows are those of the background.
            images.append((size, *byte_sums_beside(sample.image, above, source.touched)))
            mask = mask[slice(*source.touched)]
        masks.append((size, *byte_sums(mask)))
        if sample.depth is not None:
            self.add_depth(sample.depth)
        if attempt := meta.get("attempt"):
            self.counts.update(redrawn=1, redraws=attempt)
        if fallbacks := meta.get("blend_fallbacks"):
            self.counts.update(blend_fallbacks=fallbacks)

    def add_depth(self, depth: Float32) -> None:
        """Add the pixels of a depth map."""
        self._sums[2].append(depth_sums(depth))

    def clear_depth(self) -> None:
        """Forget the depth maps."""
        image, mask, _ = self._flushed()
        self._moments = image, mask, Moments()

    def _flushed(self) -> tuple[Moments, Moments, Moments]:
        """The moments, after the collected sums are added to them.

        Samples only append theirs to a list, which takes a tenth of the time.
        """
        for moments, sums in zip(self._moments, self._sums, strict=True):
            if sums:
                count, *rest = map(sum, zip(*sums, strict=True))
                moments.add(count, rest[: len(rest) // 2], rest[len(rest) // 2 :])
                sums.clear()
        return self._moments

    def merge(self, other: Statistics) -> None:
        """Add the sums of other samples."""
        for mine, theirs in zip(self._flushed(), other._flushed(), strict=True):
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
            for name, one in zip(_PIXELS, self._flushed(), strict=True)
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
            for (name, unit), moments in zip(units.items(), self._flushed(), strict=True)
            if moments.count
        }

    def added_summary(self) -> dict[str, Any]:
        """The statistics of plugins as JSON values, by name (see `Distribution.summary`)."""
        return {name: one.summary() for name, one in sorted(self.added.items())}
