"""The interface through which a run shows messages and progress; a terminal or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol


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
