"""Errors of a command as one line; among them those of stdout, which only a command writes."""

from __future__ import annotations

import os
import sys

from depthmask.engine.one_line import one_line_error, with_cause
from depthmask.errors import DISK_FULL, DepthmaskError


def as_depthmask_error(error: Exception) -> DepthmaskError:
    """The error as one line for the user."""
    # Files that are written for a dataset have errors of their own (see `disk_error`).
    if isinstance(error, OSError) and error.filename is None and error.errno in DISK_FULL:
        _drop_stdout()
        text = f"stdout: {error.strerror}; what the command prints is incomplete"
        return with_cause(text, error)
    return one_line_error(error)


def _drop_stdout() -> None:
    """Have what was printed go nowhere: when Python ends, it would try to write it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
