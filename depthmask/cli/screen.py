"""Shows lines and progress on stderr, and writes the log file of a run."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.text import Text

from depthmask.cli import lines
from depthmask.cli.pace import EVERY_S, Announcer, Pace, duration, repeated
from depthmask.config.root import ProgressStyle
from depthmask.networks.shown import show_downloads

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LONG_S = 2.0
"""The seconds after which a screen says what the program waits for."""


class _Facts(ProgressColumn):
    """A column of a progress bar: the counts, the rate and the time to go."""

    def render(self, task: Task) -> Text:
        """The pace of the task, in one line."""
        return Text(str(task.fields["pace"]), no_wrap=True, overflow="ellipsis")


class _WarningHandler(logging.Handler):
    """Shows logged warnings in the terminal."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """Show the message in one line."""
        self._screen.line(record.getMessage(), "note", prefix="note: ")


class _LogFile(logging.FileHandler):
    """A log file that ignores write errors: the run itself reports a full disk, in one line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Do nothing; logging would print a traceback."""

    def close(self) -> None:
        """Close the file; ignore an error for lines that could not be written."""
        with suppress(OSError):
            super().close()


class Screen:
    """Shows lines and progress on stderr, and writes logged messages to a log file.

    style: how progress is shown; with `none`, nothing but errors.
    """

    def __init__(self, style: ProgressStyle = ProgressStyle.auto) -> None:
        self._style = _chosen(style)
        lines.use(self._style.name)
        show_downloads(self.bar)
        # Keeps messages until the log file is opened, which needs the lock of the output folder.
        self._buffer = logging.handlers.MemoryHandler(10_000, flushLevel=logging.CRITICAL + 1)
        self._logger = logging.getLogger("depthmask")
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(self._buffer)
        self._logger.addHandler(_WarningHandler(self))
        self._logger.propagate = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def line(self, text: str, event: str = "line", *, prefix: str = "", **facts: Any) -> None:
        """Show one line of text. event, facts: as in `depthmask.cli.lines.say`."""
        lines.say(text, event, prefix=prefix, **facts)

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
        if self._style is ProgressStyle.bar:
            with _bar(pace) as advance:
                yield advance
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

    def open_log(self, path: Path) -> None:
        """Write the log to `path` from now on, starting with the messages logged so far."""
        file = _LogFile(path, encoding="utf-8")
        file.setFormatter(logging.Formatter(_LOG_FORMAT))
        self._buffer.setTarget(file)
        self._buffer.flush()
        self._logger.removeHandler(self._buffer)
        self._logger.addHandler(file)

    def close(self) -> None:
        """Close the log file."""
        show_downloads(None)
        for handler in list(self._logger.handlers):
            self._logger.removeHandler(handler)
            handler.close()

    def _announce(self, pace: Pace) -> None:
        self.line(str(pace), "progress", **pace.as_json())


@contextmanager
def _bar(pace: Pace) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True, force_terminal=True)
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
    """The style that `auto` stands for: a bar on a terminal that can move its cursor."""
    if style is not ProgressStyle.auto:
        return style
    # A notebook gives its commands a terminal that shows each state of a bar as a line.
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    is_plain = os.environ.get("TERM", "") in ("", "dumb", "unknown")
    is_notebook = "JPY_PARENT_PID" in os.environ
    can_draw = is_terminal and not is_plain and not is_notebook
    return ProgressStyle.bar if can_draw else ProgressStyle.lines
