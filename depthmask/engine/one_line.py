"""Turns any error of a run into one line for the user."""

from __future__ import annotations

from depthmask.config.plugins import registry
from depthmask.errors import TRACEBACK, DepthmaskError, in_one_line, machine_error
from depthmask.stage.calls import StageError


def one_line_error(error: Exception) -> DepthmaskError:
    """The error as one line for the user: a stage of a plugin may raise any exception."""
    if isinstance(error, DepthmaskError) and not isinstance(error, StageError):
        return error
    if isinstance(error, OSError) and error.filename is not None:
        return with_cause(str(machine_error(error.filename, error)), error)
    if isinstance(error, OSError):
        return with_cause(in_one_line(error), error)
    text = registry().message(error) if isinstance(error, StageError) else in_one_line(error)
    has_more = not isinstance(error, StageError) or error.__cause__ is not None
    return with_cause(f"{text}; {TRACEBACK}=1 shows the traceback" if has_more else text, error)


def with_cause(text: str, error: Exception) -> DepthmaskError:
    """An error with this line."""
    one_line = DepthmaskError(text)
    one_line.__cause__ = error
    return one_line
