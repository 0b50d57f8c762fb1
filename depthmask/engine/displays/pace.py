"""How far a piece of work has come, and when to say so where no bar can be drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

EVERY_S = 30.0
"""The longest time without a line."""
_LEAST_S = 1.0
"""The shortest time between two lines."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class Pace:
    """The progress of a piece of work: how much is done, of how much, and how fast.

    of: the number of units. unit: what is counted, such as `samples`, in the plural.
    """

    def __init__(self, title: str, of: int, unit: str) -> None:
        self.title = title
        self.of = of
        self.unit = unit
        self.done = 0
        self._start = time.monotonic()
        self._first: tuple[float, int] | None = None

    def advance(self, count: int) -> None:
        """Add units that are done; work that is done twice counts once at the end."""
        self.done = max(0, min(self.done + count, self.of))
        if self._first is None and self.done:
            self._first = time.monotonic(), self.done

    def finish(self) -> None:
        """Everything is done."""
        self.done = self.of

    @property
    def tenths(self) -> int:
        """The whole tenths of the work that are done."""
        return 10 * self.done // self.of if self.of else 10

    @property
    def seconds(self) -> float:
        """The seconds since the start."""
        return time.monotonic() - self._start

    @property
    def rate(self) -> float:
        """Units per second: of all work at its end, before without the slow start of workers."""
        since, before = self._first or (self._start, 0)
        if self.done in (before, self.of):
            since, before = self._start, 0
        return (self.done - before) / max(time.monotonic() - since, 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """The seconds until everything is done at this rate; None before anything is done."""
        return (self.of - self.done) / self.rate if self.done else None

    def __str__(self) -> str:
        named = "" if self.title == self.unit else f"{self.title}: "
        percent = 100 * self.done // self.of if self.of else 100
        return ", ".join([f"{named}{self._counts()} ({percent} %)", *self._speed()])

    def as_json(self) -> dict[str, Any]:
        """The figures for programs."""
        left = self.seconds_left
        return {
            "work": self.title,
            "unit": self.unit,
            "done": self.done,
            "of": self.of,
            "rate": round(self.rate, 3),
            "seconds": round(self.seconds, 1),
            "seconds_left": None if left is None else round(left, 1),
        }

    def _counts(self) -> str:
        if self.unit == "bytes":
            return f"{self.done / 1e6:,.1f} of {self.of / 1e6:,.1f} MB"
        return f"{self.done:,} of {self.of:,} {self.unit}"

    def _speed(self) -> list[str]:
        if not self.done:
            return [f"{duration(self.seconds)} so far"] if self.seconds >= _LEAST_S else []
        per_s = (
            f"{self.rate / 1e6:,.1f} MB/s" if self.unit == "bytes" else f"{rounded(self.rate)}/s"
        )
        left = self.seconds_left
        return [per_s] if not left else [per_s, f"{duration(left)} to go"]


def rounded(number: float) -> str:
    """A rate with two digits at least."""
    return f"{number:,.0f}" if number >= 9.95 else f"{number:.2g}"


def duration(seconds: float) -> str:
    """A time as a person says it: `35 s`, `4 min`, `2 h 10 min`, `3 days`."""
    if seconds < 2 * _MINUTE:
        return f"{max(round(seconds), 1)} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        minutes = round(seconds / _MINUTE)
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{seconds / _DAY:.0f} days"


class Announcer:
    """Says how far a piece of work has come: at each tenth of it, and every 30 s.

    say: called with the pace, once a second at most, also from another thread.
    """

    def __init__(self, pace: Pace, say: Callable[[Pace], None]) -> None:
        self._pace = pace
        self._say = say
        self._lock = threading.Lock()
        self._last = time.monotonic()
        self._tenths = 0

    def advance(self, count: int) -> None:
        """Add units that are done, and say so if it is time."""
        with self._lock:
            self._pace.advance(count)
            is_more = self._pace.tenths > self._tenths and self._pace.done < self._pace.of
            if is_more and time.monotonic() - self._last >= _LEAST_S:
                self._announce()

    def finish(self) -> None:
        """Say that everything is done."""
        with self._lock:
            self._pace.finish()
            self._announce()

    @contextmanager
    def every_30_s(self) -> Iterator[None]:
        """Inside the block, say it at least every 30 s, also while nothing advances."""
        with repeated(self._if_due, EVERY_S):
            yield

    def _if_due(self) -> float:
        with self._lock:
            left = self._last + EVERY_S - time.monotonic()
            if left > 0:
                return left
            self._announce()
            return EVERY_S

    def _announce(self) -> None:
        self._last, self._tenths = time.monotonic(), self._pace.tenths
        self._say(self._pace)


@contextmanager
def repeated(call: Callable[[], float], first: float) -> Iterator[None]:
    """Inside the block, call a function from another thread.

    first: the seconds before the first call; each call returns those before the next.
    """
    end = threading.Event()

    def loop() -> None:
        wait = first
        while not end.wait(wait):
            wait = call()

    # Nobody waits for the thread: it may hang where stderr is a pipe that nobody reads.
    threading.Thread(target=loop, daemon=True).start()
    try:
        yield
    finally:
        end.set()
