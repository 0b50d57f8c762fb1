"""Locks and forks."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from depthmask import forks
from depthmask.errors import DepthmaskError

Forked = Callable[[Callable[[], Any]], Any]


class Counter:
    """A value that is two steps away from right while another thread changes it."""

    def __init__(self) -> None:
        self.lock = forks.Lock(self.in_child)
        self.halves = [0, 0]
        self.children = 0

    def step(self) -> None:
        with self.lock:
            self.halves[0] += 1
            time.sleep(0.001)
            self.halves[1] += 1

    def in_child(self) -> None:
        self.children += 1


def _whole(counter: Counter) -> bool:
    with counter.lock:
        return counter.halves[0] == counter.halves[1] and counter.children == 1


def test_a_forked_child_gets_free_locks_and_complete_data(forked: Forked) -> None:
    counter, stop = Counter(), threading.Event()

    def steps() -> None:
        while not stop.is_set():
            counter.step()

    threads = [threading.Thread(target=steps) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert [forked(lambda: _whole(counter)) for _ in range(10)] == [True] * 10
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert counter.children == 0


def test_threads_that_want_two_locks_do_not_stop_a_fork(forked: Forked) -> None:
    one, other, stop = Counter(), Counter(), threading.Event()

    def both() -> None:
        while not stop.is_set():
            with one.lock:
                other.step()
            with other.lock:
                one.halves[0] += 0

    thread = threading.Thread(target=both)
    thread.start()
    try:
        assert [forked(lambda: _whole(other)) for _ in range(10)] == [True] * 10
    finally:
        stop.set()
        thread.join()


def test_a_thread_may_fork_while_it_holds_the_lock(forked: Forked) -> None:
    counter = Counter()
    with counter.lock:
        assert forked(lambda: _whole(counter))
    assert forked(lambda: _whole(counter))


def test_a_lock_is_freed_with_its_owner() -> None:
    gc.collect()
    before = len(forks._locks)
    counter = Counter()
    assert len(forks._locks) == before + 1
    del counter
    gc.collect()
    assert len(forks._locks) == before


@pytest.mark.parametrize(
    ("context", "runs"),
    [
        (None, False),
        (SimpleNamespace(_context=None), False),
        (SimpleNamespace(_context=object()), True),
        (SimpleNamespace(), True),
    ],
    ids=["not imported", "imported", "used", "called otherwise"],
)
def test_no_network_after_tensorflow_ran(
    context: object, runs: bool, forked: Forked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks._Networks, "ran", False)
    monkeypatch.setitem(sys.modules, "tensorflow.python.eager.context", context)
    message = "x: this process was forked after a network had run"
    answer = forked(_refused)
    assert answer == "" if not runs else str(answer).startswith(message)


def test_no_network_after_another_ran(forked: Forked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks._Networks, "ran", False)
    forks.network("x")
    forks.network("x")
    assert "spawn" in str(forked(_refused))


def _refused() -> str:
    try:
        forks.network("x")
    except DepthmaskError as error:
        return str(error)
    return ""
