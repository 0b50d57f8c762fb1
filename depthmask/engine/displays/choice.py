"""Chooses the display of work that is started from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from depthmask.config.root import ProgressStyle
from depthmask.engine.display import Display
from depthmask.engine.displays.log import log_of_run
from depthmask.engine.displays.notebook import Notebook, in_notebook
from depthmask.engine.displays.screen import Screen
from depthmask.errors import DepthmaskError, UsageError, in_one_line
from depthmask.networks.shown import downloads_shown

_METHODS = ("line", "bar", "waiting")
_BARS = (ProgressStyle.auto, ProgressStyle.bar)


def display_of(
    progress: str | Display, setting: ProgressStyle = ProgressStyle.auto
) -> AbstractContextManager[Display]:
    """The display that a caller asks for, as the context of the work.

    setting: the style of the config, which counts if the caller asks for `auto`. Raises
    `UsageError` for anything that is neither a style nor a display.
    """
    if not isinstance(progress, str):
        _require_display(progress)
        return _shown_on(progress)
    if progress not in ProgressStyle.__members__:
        raise UsageError(f"progress={progress!r}: must be one of {_styles()}, or a display")
    asked = ProgressStyle[progress]
    style = setting if asked is ProgressStyle.auto else asked
    return Notebook() if style in _BARS and in_notebook() else Screen(style)


@contextmanager
def _shown_on(display: Display) -> Iterator[Display]:
    """Inside the block, also warnings and downloads are shown on a display of the caller."""
    callers = _Callers(display)
    with downloads_shown(callers.bar), log_of_run(callers):
        yield callers


class _Callers:
    """A display of the caller; what goes wrong in it is no error of the stage that called it."""

    def __init__(self, display: Display) -> None:
        self._display = display

    def line(self, text: str, event: str = "line", **facts: Any) -> None:
        """Show one line of text."""
        with self._named("line"):
            self._display.line(text, event, **facts)

    @contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Show a progress bar; yields a function that advances it."""
        with ExitStack() as block:
            with self._named("bar"):
                advance = block.enter_context(self._display.bar(title, total, unit))

            def advanced(count: int) -> None:
                with self._named("bar"):
                    advance(count)

            yield advanced

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show the text if the block takes long."""
        with ExitStack() as block:
            with self._named("waiting"):
                block.enter_context(self._display.waiting(text))
            yield

    @contextmanager
    def _named(self, method: str) -> Iterator[None]:
        """Name the display and its method in an error of the block."""
        try:
            yield
        except (Exception, SystemExit) as error:
            name = type(self._display).__name__
            raise DepthmaskError(f"progress: {name}.{method}: {in_one_line(error)}") from error


def _require_display(progress: object) -> None:
    """Raise `UsageError` for an object without the methods of a display."""
    for name in _METHODS:
        if not callable(getattr(progress, name, None)):
            raise UsageError(
                f"progress={progress!r}: must be one of {_styles()}, or an object with the methods "
                f"of depthmask.Display, and this one has no {name}"
            )


def _styles() -> str:
    return ", ".join(ProgressStyle.__members__)
