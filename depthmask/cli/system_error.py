"""Errors of the operating system that no command expects, such as a folder of another user."""

from __future__ import annotations

import os
import sys

from depthmask.errors import DISK_FULL, DepthmaskError, in_one_line


def system_error(error: OSError) -> DepthmaskError:
    """An error of the system as one line: the path, or stdout, and the reason."""
    if error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    elif error.errno in DISK_FULL:
        # Files that are written for a dataset have errors of their own (see `disk_error`).
        _drop_stdout()
        text = f"stdout: {error.strerror}; what the command prints is incomplete"
    else:
        text = in_one_line(error)
    failure = DepthmaskError(text)
    failure.__cause__ = error
    return failure


def _drop_stdout() -> None:
    """Have what was printed go nowhere: when Python ends, it would try to write it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
