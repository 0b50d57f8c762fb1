"""The errors that a user may see: one line each that says what, where and what to do."""

from __future__ import annotations

import textwrap
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DepthmaskError(Exception):
    """The run cannot go on; the message is one line for the user."""

    exit_code = 1
    final = True
    """Whether a retry would fail in the same way."""


class ShardError(DepthmaskError):
    """A stage failed unexpectedly in one shard; the other shards can still be made."""

    final = False


class NoPlaceError(DepthmaskError):
    """The placement found no position for a foreground; the sample may draw other assets."""


class UsageError(DepthmaskError):
    """The command, the config or the input folder is wrong; no work was started."""

    exit_code = 2


class SettingError(UsageError):
    """A setting of a stage has a value outside its range.

    A stage knows only the name of the setting. The code that builds the stage knows its config
    group and puts it in front (see `setting_errors_named`).
    """

    def __init__(self, name: str, value: object, expected: str) -> None:
        text = f"{value:g}" if isinstance(value, float) else str(value)
        super().__init__(f"{name}={text}: {expected}")
        self.name = name
        self.value = value
        self.expected = expected


@contextmanager
def setting_errors_named(group: str) -> Iterator[None]:
    """Put the config group in front of the setting that an error names."""
    try:
        yield
    except SettingError as error:
        raise SettingError(f"{group}.{error.name}", error.value, error.expected) from None


def in_one_line(error: Exception) -> str:
    """The message of an unexpected error, with the function, file and line that raised it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = textwrap.shorten(f"{type(error).__name__}: {error}", 500)
    return f"{text} (in {frame.name}, {Path(frame.filename).name}:{frame.lineno})"
