"""Chooses the display of a run that is started from Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from depthmask.config.root import ProgressStyle
from depthmask.engine.display import Display
from depthmask.engine.displays.log import log_of_run
from depthmask.engine.displays.screen import Screen
from depthmask.errors import UsageError

_METHODS = ("line", "bar", "waiting")


@contextmanager
def display_of(
    progress: str | Display, setting: ProgressStyle = ProgressStyle.auto
) -> Iterator[Display]:
    """The display that a caller asks for, for the block.

    setting: the style of the config, which `auto` leaves in force. Raises `UsageError` for anything
    that is neither a style nor a display.
    """
    if isinstance(progress, str):
        with Screen(_style(progress, setting)) as screen:
            yield screen
        return
    if missing := [name for name in _METHODS if not callable(getattr(progress, name, None))]:
        raise _no_progress(f"has no method {missing[0]}", progress)
    with log_of_run(progress):
        yield progress


def _style(progress: str, setting: ProgressStyle) -> ProgressStyle:
    if progress not in ProgressStyle.__members__:
        raise UsageError(
            f"progress={progress!r}: must be one of {', '.join(ProgressStyle.__members__)}, or a "
            "depthmask.Display"
        )
    style = ProgressStyle[progress]
    return setting if style is ProgressStyle.auto else style


def _no_progress(what: str, progress: object) -> UsageError:
    return UsageError(f"progress: {type(progress).__name__} {what}; see depthmask.Display")
