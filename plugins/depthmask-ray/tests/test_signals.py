"""Signals that arrive during calls of Ray are delayed."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from depthmask_ray import _signals
from depthmask_ray._signals import signals_held


def held(*steps: Callable[[], object]) -> None:
    with signals_held():
        for step in steps:
            step()


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_one_waits_for_the_end() -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        held(interrupt, lambda: done.append(1))
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_does_not_wait() -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        held(interrupt, interrupt, lambda: done.append(1))
    assert done == []


def test_one_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_signals, "HOLD_SECONDS", 0.05)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        held(interrupt, lambda: time.sleep(30))
    assert time.monotonic() - start < 10
