"""Chooses the display of work that is started from Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from depthmask.config.root import ProgressStyle
from depthmask.engine.display import Display
from depthmask.engine.displays.log import log_of_run
from depthmask.engine.displays.notebook import Notebook, in_notebook
from depthmask.engine.displays.screen import Screen
from depthmask.errors import UsageError
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
    with downloads_shown(display.bar), log_of_run(display):
        yield display


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
