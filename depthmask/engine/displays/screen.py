"""Shows lines and progress on stderr."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any, Self, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.text import Text

from depthmask.config.root import ProgressStyle
from depthmask.engine.displays import lines
from depthmask.engine.displays.log import log_of_run
from depthmask.engine.displays.pace import EVERY_S, Announcer, Pace, duration, repeated
from depthmask.networks.shown import downloads_shown
from depthmask.untrusted import visible

_LONG_S = 2.0
"""The seconds after which a screen says what the program waits for."""


_terminal = threading.Lock()
"""Belongs to the bar that is drawn: rich passes on what is printed meanwhile, for one bar alone."""


class _Facts(ProgressColumn):
    """A column of a progress bar: the counts, the rate and the time to go."""

    def render(self, task: Task) -> Text:
        """The pace of the task, in one line."""
        return Text(visible(str(task.fields["pace"])), no_wrap=True, overflow="ellipsis")


class _LastingStderr:
    """The stderr of now, whose terminal may end without an end of the run, as with `nohup`."""

    def __init__(self) -> None:
        self._stream = sys.stderr

    def write(self, text: str) -> int:
        """Write, if anybody reads it."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if anybody reads it."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Screen:
    """Shows lines and progress on stderr, and inside its block also warnings and downloads.

    style: how progress is shown; with `none`, nothing but errors.
    """

    def __init__(self, style: ProgressStyle = ProgressStyle.auto) -> None:
        self.style = _chosen(style)
        self._block = ExitStack()

    def __enter__(self) -> Self:
        self._block.enter_context(downloads_shown(self.bar))
        self._block.enter_context(log_of_run(self))
        return self

    def __exit__(self, *error: object) -> None:
        self._block.close()

    def line(self, text: str, event: str = "line", **facts: Any) -> None:
        """Show one line of text. event, facts: as in `depthmask.engine.displays.lines.say`."""
        lines.say(self.style.name, text, event, **facts)

    @contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Show how far a piece of work is; yields a function that advances it by some units.

        On a terminal that is a bar, elsewhere a line at each tenth and at least every 30 s. Nothing
        is shown if there is no work.
        """
        if not total:
            yield lambda units: None
            return
        pace = Pace(title, total, unit)
        if self.style is ProgressStyle.bar and _terminal.acquire(blocking=False):
            try:
                with _bar(pace) as advance:
                    yield advance
            finally:
                _terminal.release()
            return
        announcer = Announcer(pace, self._announce)
        with announcer.every_30_s():
            yield announcer.advance
        announcer.finish()

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show the text if the block takes more than 2 s, then every 30 s."""
        pace = Pace(text, 0, "")

        def say() -> float:
            so_far = "" if pace.seconds < EVERY_S else f", {duration(pace.seconds)} so far"
            self.line(f"{text}{so_far} ...", "waiting", seconds=round(pace.seconds, 1))
            return EVERY_S

        with repeated(say, _LONG_S):
            yield

    def _announce(self, pace: Pace) -> None:
        self.line(str(pace), "progress", **pace.as_json())


@contextmanager
def _bar(pace: Pace) -> Iterator[Callable[[int], None]]:
    console = Console(file=cast(IO[str], _LastingStderr()), force_terminal=True)
    columns = (BarColumn(20), _Facts())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=pace.of, pace=pace)

        def advance(count: int) -> None:
            pace.advance(count)
            progress.update(task, completed=pace.done)

        yield advance
        pace.finish()
        progress.update(task, completed=pace.of)


def _chosen(style: ProgressStyle) -> ProgressStyle:
    """The style that can be shown; `auto` is a bar on a terminal that can move its cursor."""
    if style is ProgressStyle.bar and not _can_move():
        return ProgressStyle.lines
    if style is not ProgressStyle.auto:
        return style
    # A notebook gives its commands a terminal that shows each state of a bar as a line.
    is_terminal = _is_terminal()
    is_plain = os.environ.get("TERM", "") in ("", "dumb", "unknown")
    is_notebook = "JPY_PARENT_PID" in os.environ
    can_draw = is_terminal and not is_plain and not is_notebook
    return ProgressStyle.bar if can_draw else ProgressStyle.lines


def _is_terminal() -> bool:
    """Whether stderr is a terminal. A program may have put an object in its place."""
    return _can_move() and hasattr(sys.stderr, "isatty") and sys.stderr.isatty()


def _can_move() -> bool:
    """Whether a bar can be drawn: a program may have closed stderr, or have an object to write."""
    return hasattr(sys.stderr, "flush") and not getattr(sys.stderr, "closed", False)
