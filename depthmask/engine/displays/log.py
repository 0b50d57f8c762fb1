"""Writes what the `depthmask` loggers say during a run to its log file, and shows warnings.

Several runs may go on at a time, each in a thread of its own.
"""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from pathlib import Path
from typing import Any

from depthmask import forks
from depthmask.engine.display import Display
from depthmask.untrusted import visible_message, visible_traceback

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LOGGER = logging.getLogger("depthmask")


@contextmanager
def log_of_run(display: Display) -> Iterator[None]:
    """Inside the block, collect what this run logs for `open_log`, and show its warnings."""
    run = _Log(display)
    token = _of_this_run.set(run)
    _listeners.add(run)
    try:
        yield
    finally:
        _listeners.remove(run)
        _of_this_run.reset(token)
        run.close()


def open_log(path: Path) -> None:
    """Write the log of this run to `path` from now on, starting with what was logged so far.

    Nothing is written outside of `log_of_run`.
    """
    run = _of_this_run.get()
    if run is not None:
        run.open(path)


class _Log(logging.Handler):
    """The log of one run."""

    def __init__(self, display: Display) -> None:
        super().__init__(logging.INFO)
        self._display = display
        # Keeps messages until the log file is opened, which needs the lock of the output folder.
        self._buffer = logging.handlers.MemoryHandler(10_000, flushLevel=logging.CRITICAL + 1)
        self._output: logging.Handler = self._buffer

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this run has logged the record, or a thread that belongs to no run."""
        return _of_this_run.get() in (None, self)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the message; show a warning in one line."""
        self._output.handle(record)
        if record.levelno >= logging.WARNING:
            self._display.line(record.getMessage(), "note")

    def open(self, path: Path) -> None:
        """Write to this file from now on."""
        file = _LogFile(path, encoding="utf-8")
        file.setFormatter(_Formatter(_LOG_FORMAT))
        self._buffer.setTarget(file)
        self._buffer.flush()
        if self._output is not self._buffer:
            self._output.close()
        self._output = file

    def close(self) -> None:
        """Close the file."""
        self._output.close()
        super().close()


class _Formatter(logging.Formatter):
    """Writes a message so that no name in it looks like another message."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """The line of a message, without its traceback."""
        return visible_message(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's name)
        """The lines of a traceback."""
        return visible_traceback(ei[1]).removesuffix("\n")

    def format(self, record: logging.LogRecord) -> str:
        """The whole text of a record."""
        own = copy(record)
        own.exc_text = None  # That of another formatter.
        return super().format(own)


class _LogFile(logging.FileHandler):
    """A log file that ignores write errors: the run itself reports a full disk, in one line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Do nothing; logging would print a traceback."""

    def close(self) -> None:
        """Close the file; ignore an error for lines that could not be written."""
        with suppress(OSError):
            super().close()


class _Callers(logging.Handler):
    """Passes records to the handlers of the calling program, as if no run were listening."""

    def __init__(self) -> None:
        super().__init__(_LOGGER.getEffectiveLevel())
        self._parent = _LOGGER.parent if _LOGGER.propagate else None

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on; a program without any handlers would get it on stderr."""
        if self._parent is not None and self._parent.hasHandlers():
            self._parent.callHandlers(record)


class _Listeners:
    """The logs of all runs that go on now.

    The first sets the level of the `depthmask` logger, and the last leaves the logger as it was.
    """

    def __init__(self) -> None:
        self._lock = forks.Lock()
        self._runs: list[_Log] = []
        self._callers: _Callers
        self._before: tuple[int, bool]

    def add(self, run: _Log) -> None:
        """Let a run receive what is logged."""
        with self._lock:
            if not self._runs:
                self._before = _LOGGER.level, _LOGGER.propagate
                self._callers = _Callers()
                _LOGGER.addHandler(self._callers)
                _LOGGER.setLevel(logging.INFO)
                _LOGGER.propagate = False
            self._runs.append(run)
            _LOGGER.addHandler(run)

    def remove(self, run: _Log) -> None:
        """Let it receive nothing more."""
        with self._lock:
            self._runs.remove(run)
            _LOGGER.removeHandler(run)
            if not self._runs:
                _LOGGER.removeHandler(self._callers)
                level, _LOGGER.propagate = self._before
                _LOGGER.setLevel(level)


_of_this_run: ContextVar[_Log | None] = ContextVar("_of_this_run", default=None)
_listeners = _Listeners()
