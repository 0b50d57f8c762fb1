"""What a run shows while it works, whoever looks on: a terminal, a notebook, or nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol


class Display(Protocol):
    """Shows lines and progress, and opens the log file of a run."""

    def line(self, text: str) -> None:
        """Show one line of text."""

    def bar(
        self, title: str, total: int, unit: str
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Show progress up to `total`; the context gives a function that advances it."""

    def open_log(self, path: Path) -> None:
        """Write what the `depthmask` loggers say to a file from now on."""


class Silent:
    """A display that shows nothing and keeps no log."""

    def line(self, text: str) -> None:
        """Show nothing."""

    @contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Show nothing."""
        yield lambda count: None

    def open_log(self, path: Path) -> None:
        """Keep no log."""
