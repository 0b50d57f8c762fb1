"""Progress without a terminal: what its lines say, and when they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from depthmask.engine.displays import pace
from depthmask.engine.displays.pace import Announcer, Pace, duration, rounded


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that sets the time."""
    now = [0.0]
    monkeypatch.setattr("depthmask.engine.displays.pace.time.monotonic", lambda: now[0])

    def to(seconds: float) -> None:
        now[0] = seconds

    return to


def lines_of(
    steps: Iterator[tuple[float, int]], of: int, clock: Callable[[float], None]
) -> list[str]:
    """The lines of a piece of work of so many samples. steps: (time, samples made since)."""
    said: list[str] = []
    announcer = Announcer(Pace("samples", of, "samples"), lambda now: said.append(str(now)))
    for seconds, count in steps:
        clock(seconds)
        announcer.advance(count)
    announcer.finish()
    return said


def test_a_line_says_how_much_how_fast_and_how_long(clock: Callable[[float], None]) -> None:
    now = Pace("samples", 2000, "samples")
    assert str(now) == "0 of 2,000 samples (0 %)"
    clock(20)
    assert str(now) == "0 of 2,000 samples (0 %), 20 s so far"
    now.advance(8)
    clock(170)
    now.advance(727)
    assert str(now) == "735 of 2,000 samples (36 %), 4.8/s, 4 min to go"
    assert now.as_json() == {
        "work": "samples", "unit": "samples", "done": 735, "of": 2000,
        "rate": 4.847, "seconds": 170, "seconds_left": 261.0,
    }  # fmt: skip


def test_other_work_is_named_and_bytes_are_megabytes(clock: Callable[[float], None]) -> None:
    now = Pace("geometry", 30, "backgrounds")
    assert str(now) == "geometry: 0 of 30 backgrounds (0 %)"
    download = Pace("nyu.h5", 40_000_000, "bytes")
    download.advance(4_000_000)
    clock(10)
    download.advance(16_000_000)
    assert str(download) == "nyu.h5: 20.0 of 40.0 MB (50 %), 1.6 MB/s, 12 s to go"


def test_there_is_a_line_at_each_tenth(clock: Callable[[float], None]) -> None:
    said = lines_of(((2.0 * n, 1) for n in range(1, 101)), 100, clock)
    assert [line.split(" of ")[0] for line in said] == [str(10 * n) for n in range(1, 11)]


def test_a_short_run_has_few_lines(clock: Callable[[float], None]) -> None:
    said = lines_of(((n / 50, 4) for n in range(1, 101)), 400, clock)
    assert len(said) == 2
    assert said[-1].startswith("400 of 400 samples (100 %)")


def test_samples_that_are_made_twice_are_no_more_than_all(clock: Callable[[float], None]) -> None:
    said = lines_of(iter([(2.0, 90), (4.0, 90)]), 100, clock)
    assert [line.split(",")[0] for line in said] == [
        "90 of 100 samples (90 %)", "100 of 100 samples (100 %)",
    ]  # fmt: skip


def test_lines_come_while_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "EVERY_S", 0.05)
    said: list[str] = []
    announcer = Announcer(Pace("samples", 100, "samples"), lambda now: said.append(str(now)))
    with announcer.every_30_s():
        deadline = time.monotonic() + 20
        while len(said) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert said[:3] == ["0 of 100 samples (0 %)"] * 3
    count = len(said)
    time.sleep(0.2)
    assert len(said) <= count + 1


def test_a_line_of_a_tenth_delays_the_next_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of the clock count from the last line."""
    now = [0.0]
    monkeypatch.setattr("depthmask.engine.displays.pace.time.monotonic", lambda: now[0])
    said: list[str] = []
    announcer = Announcer(Pace("samples", 100, "samples"), lambda one: said.append(str(one)))
    now[0] = 20
    announcer.advance(10)
    now[0] = 30
    assert announcer._if_due() == 20
    now[0] = 50
    assert announcer._if_due() == 30
    assert len(said) == 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (35, "35 s"), (119, "119 s"), (240, "4 min"), (7140, "119 min"),
     (7800, "2 h 10 min"), (260_000, "3 days")],
)  # fmt: skip
def test_times_are_as_a_person_says_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_rates_have_two_digits() -> None:
    assert [rounded(rate) for rate in (0.052, 4.9, 9.97, 1234.5)] == ["0.052", "4.9", "10", "1,234"]
