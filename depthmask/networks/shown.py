"""How downloads are shown: on the terminal, unless a program shows them in a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TypeAlias

Bar: TypeAlias = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""A function of a title, a total and its unit, as `bar` of a display; the context yields a function
that advances the bar."""

_bar: ContextVar[Bar | None] = ContextVar("_bar", default=None)


@contextmanager
def downloads_shown(bar: Bar) -> Iterator[None]:
    """Inside the block, show the downloads of this thread with a function."""
    token = _bar.set(bar)
    try:
        yield
    finally:
        _bar.reset(token)


def bar_of_downloads() -> Bar | None:
    """The function that shows downloads; None: they are shown on the terminal."""
    return _bar.get()
