"""The errors that a user may see: one line each, saying what, where, and what to do."""

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
    """Whether trying again would give the same."""


class ShardError(DepthmaskError):
    """A stage failed at a shard in a way that nobody foresaw; the others can still be made."""

    final = False


class NoPlaceError(DepthmaskError):
    """No proposal of the placement fits; the sample may draw other assets."""


class UsageError(DepthmaskError):
    """The command, the config or the input folder is wrong; nothing was started."""

    exit_code = 2


class SettingError(UsageError):
    """A stage's setting has a value outside its range.

    The stage knows the setting's name only; whoever builds the stage knows the group it was
    chosen for and puts it in front (see `depthmask.config.build`).
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
    """The message of an unforeseen error, and the line of code that it came from."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = textwrap.shorten(f"{type(error).__name__}: {error}", 500)
    return f"{text} (in {frame.name}, {Path(frame.filename).name}:{frame.lineno})"
