"""Writes the page about a dataset for a caller in Python."""

from __future__ import annotations

from os import PathLike

from depthmask.engine.display import Display
from depthmask.engine.displays.choice import display_of
from depthmask.engine.interface.root import Output
from depthmask.engine.report import write_report
from depthmask.storage.path import StorePath


def report(
    path: str | PathLike[str] | StorePath, into: Output, progress: str | Display
) -> StorePath:
    """The path of the page, which is written now; see `depthmask.report`."""
    with display_of(progress) as display:
        return write_report(path, into, display)
