"""The interface through which a run shows messages and progress; a terminal or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

from depthmask.stages.source.base import checks_shown

_SHORT_S = 0.8
"""Work that takes no longer needs no bar."""


class Display(Protocol):
    """Shows lines and progress."""

    def line(self, text: str, event: str = "line", **facts: Any) -> None:
        """Show one line of text. event, facts: its kind and its numbers, for programs."""

    def bar(
        self, title: str, total: int, unit: str
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Show a progress bar up to `total`; the context yields a function that advances it."""

    def waiting(self, text: str) -> AbstractContextManager[None]:
        """Show the text if the block takes long, from time to time."""


@contextmanager
def checking_assets(display: Display) -> Iterator[None]:
    """Inside the block, show how far the check of a source has come, or that it takes long."""
    with (
        display.waiting("checking the assets"),
        checks_shown(lambda total, title: _late_bar(display, title, total, "assets")),
    ):
        yield


@contextmanager
def _late_bar(
    display: Display, title: str, total: int, unit: str
) -> Iterator[Callable[[int], None]]:
    """A bar that is shown if the work is not over in less than a second, as it mostly is."""
    start, done = time.monotonic(), 0
    advance: Callable[[int], None] | None = None
    with ExitStack() as block:

        def late(count: int) -> None:
            nonlocal done, advance
            done += count
            if advance is not None:
                advance(count)
            elif time.monotonic() - start >= _SHORT_S:
                advance = block.enter_context(display.bar(title, total, unit))
                advance(done)

        yield late


class Silent:
    """A display that shows nothing."""

    def line(self, text: str, event: str = "line", **facts: Any) -> None:
        """Show nothing."""

    @contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Show nothing; yields a function without effect."""
        yield lambda count: None

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show nothing."""
        yield
