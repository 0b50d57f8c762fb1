"""Measures time by station: the steps that a sample passes."""

from __future__ import annotations

import time
from collections import defaultdict


class Laps:
    """A clock; each call adds the time since the last call to the named station."""

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
