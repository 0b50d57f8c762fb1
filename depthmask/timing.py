"""Where the time goes, by station."""

from __future__ import annotations

import time
from collections import defaultdict


class Laps:
    """A clock that adds the time since its last call to the station that it is told."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._last = time.perf_counter()

    def __call__(self, station: str) -> None:
        now = time.perf_counter()
        self.seconds[station] += now - self._last
        self._last = now


def add_seconds(total: dict[str, float], more: dict[str, float]) -> None:
    """Add the seconds of each station to a total."""
    for station, seconds in more.items():
        total[station] = total.get(station, 0.0) + seconds
