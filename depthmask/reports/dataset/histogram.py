"""Many numbers counted in fine bins, and the coarser ones that a chart shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_JUST_BELOW = 1e-6
"""Of a bin: 0.3 / 0.1 is a little less than 3, and belongs to bin 3."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How many numbers lie in start..stop."""

    start: float
    stop: float
    count: int


class Histogram:
    """Counts of numbers in 0..high, in bins of `width`; what lies beyond counts at the end."""

    def __init__(self, width: float, high: float) -> None:
        self.width = width
        self.counts: NDArray[np.int64] = np.zeros(max(1, round(high / width)), np.int64)

    def add(self, numbers: ArrayLike) -> None:
        """Count more numbers, none of them NaN."""
        places = np.asarray(numbers, np.float64) / self.width + _JUST_BELOW
        bins = len(self.counts)
        whole = np.clip(places, 0, bins - 1).astype(np.int64).ravel()
        self.counts += np.bincount(whole, minlength=bins)

    @property
    def total(self) -> int:
        """How many numbers."""
        return int(self.counts.sum())

    def quantile(self, part: float) -> float:
        """The number that this part of all lies below, right to half a bin; 0 if there are none."""
        if not self.total:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self.counts), part * self.total))
        return (min(place, len(self.counts) - 1) + 0.5) * self.width

    def bars(self, most: int = 50) -> list[Bar]:
        """From the least number to the greatest, in steps of 1, 2 or 5 times a power of ten."""
        used = np.flatnonzero(self.counts)
        if not used.size:
            return []
        first, end = int(used[0]), int(used[-1]) + 1
        step = next(step for step in _steps() if -(-end // step) - first // step <= most)
        first = first // step * step
        counts: NDArray[Any] = np.zeros(-(-(end - first) // step) * step, np.int64)
        counts[: end - first] = self.counts[first:end]
        return [
            Bar((first + step * k) * self.width, (first + step * (k + 1)) * self.width, int(count))
            for k, count in enumerate(counts.reshape(-1, step).sum(axis=1))
        ]


def _steps() -> Iterator[int]:
    """1, 2, 5, 10, 20 and so on."""
    ten = 1
    while True:
        yield from (ten, 2 * ten, 5 * ten)
        ten *= 10
