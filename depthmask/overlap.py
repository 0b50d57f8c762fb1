"""Two things at once: a network computes while Python composes and encodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(
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
