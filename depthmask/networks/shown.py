"""How downloads are shown: on the terminal, unless a program shows them in a way of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

Bar: TypeAlias = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""A function of a title, a total and its unit, as `bar` of a display; the context yields a function
that advances the bar."""

_bar: Bar | None = None


def show_downloads(bar: Bar | None) -> None:
    """Show the downloads of this process with a function from now on; None: on the terminal."""
    global _bar
    _bar = bar


def bar_of_downloads() -> Bar | None:
    """The function that shows downloads; None: they are shown on the terminal."""
    return _bar
