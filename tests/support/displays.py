"""A display that keeps what it is to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Shown:
    """The lines, the kinds of the lines, the titles of bars among them, and what is done."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.events: list[str] = []
        self.done: list[int] = []

    def line(self, text: str, event: str = "line", **facts: Any) -> None:
        self.lines.append(text)
        self.events.append(event)

    @contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        self.lines.append(f"{title} {total} {unit}")
        yield self.done.append

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        yield
