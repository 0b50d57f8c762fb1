"""Work that goes on in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from depthmask.concurrency import parallel_map, prefetch


@pytest.mark.parametrize("in_thread", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_every_item_comes_with_its_own_result(count: int, in_thread: bool) -> None:
    found = [(item, call()) for item, call in prefetch(str, range(count), in_thread=in_thread)]
    assert found == [(item, str(item)) for item in range(count)]


def test_the_work_is_that_of_the_run_that_asks_for_it() -> None:
    """A thread sees the caller's context, by which the logs of runs are kept apart."""
    variable: ContextVar[str] = ContextVar("variable", default="")
    variable.set("mine")
    prefetched = prefetch(lambda item: variable.get(), range(2), in_thread=True)
    assert [call() for _, call in prefetched] == ["mine", "mine"]
    assert list(parallel_map(2, lambda item: variable.get(), range(3))) == ["mine"] * 3


def test_the_work_goes_on_while_the_next_item_is_made() -> None:
    begun, made = threading.Event(), threading.Event()

    def work(item: int) -> bool:
        begun.set()
        # Comes only if the next item is made meanwhile.
        return made.wait(10)

    def items() -> Iterator[int]:
        yield 0
        assert begun.wait(10)
        made.set()
        yield 1

    assert [call() for _, call in prefetch(work, items(), in_thread=True)] == [True, True]


def test_no_more_than_one_item_is_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for item in range(5):
            made.append(item)
            yield item

    for item, call in prefetch(str, items(), in_thread=True):
        call()
        assert made == list(range(min(item + 2, 5)))


@pytest.mark.parametrize("in_thread", [True, False])
def test_an_error_of_the_work_is_raised_for_its_item(in_thread: bool) -> None:
    calls = prefetch(lambda item: 6 // item, [3, 0, 2], in_thread=in_thread)
    assert next(calls)[1]() == 2
    item, call = next(calls)
    with pytest.raises(ZeroDivisionError):
        call()
    assert item == 0
    assert next(calls)[1]() == 3


def test_the_thread_ends_when_the_caller_stops_early() -> None:
    before = set(threading.enumerate())
    calls = prefetch(str, range(5), in_thread=True)
    next(calls)
    assert len(set(threading.enumerate()) - before) == 1
    calls.close()  # type: ignore[attr-defined]
    assert not set(threading.enumerate()) - before
