"""The machine's cores, and work that goes on side by side."""

from __future__ import annotations

import os
import platform
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many cores this process may use; a container often has fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> str:
    """Python and processor, for the log."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"


def prefetch(
    work: Callable[[T], R], items: Iterable[T], *, in_thread: bool
) -> Iterator[tuple[T, Callable[[], R]]]:
    """Each item with a call that gives, or waits for, `work(item)`, or raises what that raised.

    in_thread: the work goes on in a thread while the next item is made, and while the caller is
    busy with the one before. One item is ahead, no more, so memory is bounded. Otherwise the work
    is done in the call: threads cost 50 us an item, which only a network is worth.
    """
    if not in_thread:
        for item in items:
            yield item, partial(work, item)
        return
    with ThreadPoolExecutor(1, "ahead") as thread:
        before: tuple[T, Callable[[], R]] | None = None
        for item in items:
            now = item, thread.submit(work, item).result
            if before is not None:
                yield before
            before = now
        if before is not None:
            yield before


def parallel_map(count: int, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`map` in so many threads, in order, a few items ahead: there may be a million of them."""
    threads = ThreadPoolExecutor(count)
    ahead: deque[Future[R]] = deque()
    try:
        for item in items:
            ahead.append(threads.submit(work, item))
            if len(ahead) > 4 * count:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        # After Ctrl-C nobody waits for what was only queued.
        threads.shutdown(wait=False, cancel_futures=True)
