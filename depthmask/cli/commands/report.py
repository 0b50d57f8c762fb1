"""`depthmask report OUT`: write a self-contained HTML page about a dataset."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.lines import show_path
from depthmask.cli.screen import Screen
from depthmask.cli.usage.parser import parse
from depthmask.engine.report import write_report


def main(arguments: Sequence[str]) -> int:
    """Write the page, and print its path."""
    options = parse("report", arguments)
    with Screen() as screen:
        path = write_report(options["OUT"], options["into"], screen)
    show_path(path)
    return 0
