"""Measures time by station, such as source, place, blend and encode: the steps of a sample."""

from __future__ import annotations

import time
from collections import defaultdict


class Laps:
    """A stopwatch: each call adds the time since the previous call to a station."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._last = time.perf_counter()

    def __call__(self, station: str) -> None:
        now = time.perf_counter()
        self.seconds[station] += now - self._last
        self._last = now


def add_seconds(total: dict[str, float], more: dict[str, float]) -> None:
    """Add the seconds of each station in `more` to `total`."""
    for station, seconds in more.items():
        total[station] = total.get(station, 0.0) + seconds
