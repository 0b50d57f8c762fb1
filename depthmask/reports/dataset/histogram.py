"""Counts values in fine bins, from which a chart makes coarser bars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ROUNDING = 1e-6
"""Added to the bin number, since 0.3 / 0.1 is slightly less than 3 but belongs to bin 3."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The number of values from start to stop."""

    start: float
    stop: float
    count: int


class Histogram:
    """Counts of values in low..high, in bins of `width`; values outside count in the end bins."""

    def __init__(self, width: float, high: float, low: float = 0.0) -> None:
        self.width = width
        self.low = low
        self.counts: NDArray[np.int64] = np.zeros(max(1, round((high - low) / width)), np.int64)

    def add(self, values: ArrayLike) -> None:
        """Count values, none of them NaN."""
        positions = (np.asarray(values, np.float64) - self.low) / self.width + _ROUNDING
        bins = len(self.counts)
        numbers = np.clip(positions, 0, bins - 1).astype(np.int64).ravel()
        self.counts += np.bincount(numbers, minlength=bins)

    @property
    def total(self) -> int:
        """The number of values."""
        return int(self.counts.sum())

    def quantile(self, share: float) -> float:
        """The quantile at `share` (0..1), exact to half a bin; 0 if there are no values."""
        if not self.total:
            return 0.0
        number = int(np.searchsorted(np.cumsum(self.counts), share * self.total))
        return self.low + (min(number, len(self.counts) - 1) + 0.5) * self.width

    def bars(self, most: int = 50) -> list[Bar]:
        """Up to `most` bars over the range of the values; a bar has 1, 2 or 5 times 10**n bins."""
        used = np.flatnonzero(self.counts)
        if not used.size:
            return []
        first, end = int(used[0]), int(used[-1]) + 1
        step = next(step for step in _steps() if -(-end // step) - first // step <= most)
        first = first // step * step
        counts: NDArray[Any] = np.zeros(-(-(end - first) // step) * step, np.int64)
        counts[: end - first] = self.counts[first:end]
        edges = [self.low + number * self.width for number in range(first, first + len(counts) + 1)]
        return [
            Bar(edges[step * k], edges[step * (k + 1)], int(count))
            for k, count in enumerate(counts.reshape(-1, step).sum(axis=1))
        ]


def _steps() -> Iterator[int]:
    """1, 2, 5, 10, 20 and so on."""
    ten = 1
    while True:
        yield from (ten, 2 * ten, 5 * ten)
        ten *= 10
