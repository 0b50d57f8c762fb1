"""Shows lines and progress bars in the terminal, and writes the log file of a run."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Rate(ProgressColumn):
    """A column of a progress bar: the units per second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """The mean rate of a finished task, the recent rate of a running one."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {self._unit}/s")


class _WarningHandler(logging.Handler):
    """Shows logged warnings in the terminal."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """Show the message in one line."""
        self._screen.line(f"note: {record.getMessage()}")


class _LogFile(logging.FileHandler):
    """A log file that ignores write errors: the run itself reports a full disk, in one line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Do nothing; logging would print a traceback."""

    def close(self) -> None:
        """Close the file; ignore an error for lines that could not be written."""
        with suppress(OSError):
            super().close()


class Screen:
    """Shows lines and progress bars on stderr, and writes logged messages to a log file."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True, quiet=quiet)
        # Keeps messages until the log file is opened, which needs the lock of the output folder.
        self._buffer = logging.handlers.MemoryHandler(10_000, flushLevel=logging.CRITICAL + 1)
        self._logger = logging.getLogger("depthmask")
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(self._buffer)
        self._logger.addHandler(_WarningHandler(self))
        self._logger.propagate = False

    def line(self, text: str) -> None:
        """Show one line of text."""
        self._console.print(text, markup=False)

    @contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Show a progress bar; yields a function that advances it by a number of units."""
        columns = (
            TextColumn(title.ljust(8)),
            BarColumn(),
            MofNCompleteColumn(),
            Rate(unit),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(title, total=total)
            yield lambda count: progress.advance(task, count)
            progress.update(task, completed=total)

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
        for handler in list(self._logger.handlers):
            self._logger.removeHandler(handler)
            handler.close()
