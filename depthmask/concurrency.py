"""The number of cores, and functions that run work in threads and in processes."""

from __future__ import annotations

import os
import platform
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """The number of cores that this process may use; in a container often fewer than exist."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_info() -> str:
    """The Python version, operating system and processor, for the log."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C in a process that is started inside the block, until it can ignore the signal.

    The signal reaches the whole process group, and a Python process that is just starting would
    print a traceback.
    """
    # Imported here, since only a few commands start processes.
    from multiprocessing import resource_tracker

    # Start the tracker before, since its start unblocks the signal.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prefetch(
    work: Callable[[T], R], items: Iterable[T], *, in_thread: bool
) -> Iterator[tuple[T, Callable[[], R]]]:
    """Yield each item with a function that returns the result of `work(item)`, or raises its error.

    in_thread: a thread does the work while `items` makes the next item and the caller uses the
    previous one. It is at most one item ahead, so memory is bounded. Without a thread the returned
    function does the work: a thread for each item pays only for a network.
    """
    if not in_thread:
        for item in items:
            yield item, partial(work, item)
        return
    with ThreadPoolExecutor(1, "prefetch") as thread:
        previous: tuple[T, Callable[[], R]] | None = None
        for item in items:
            current = item, thread.submit(copy_context().run, work, item).result
            if previous is not None:
                yield previous
            previous = current
        if previous is not None:
            yield previous


def parallel_map(count: int, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`map` in `count` threads, with results in order; at most 4 items a thread are queued."""
    threads = ThreadPoolExecutor(count)
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            pending.append(threads.submit(copy_context().run, work, item))
            if len(pending) > 4 * count:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        # After Ctrl-C, drop the queued items instead of waiting for them.
        threads.shutdown(wait=False, cancel_futures=True)
