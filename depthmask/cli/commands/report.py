"""`depthmask report OUT`: write a self-contained HTML page about a dataset."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.screen import Screen
from depthmask.cli.usage.parser import parse
from depthmask.errors import UsageError
from depthmask.reading.dataset import open
from depthmask.reports.dataset.charts import require_vega
from depthmask.reports.dataset.page import report
from depthmask.storage.location import location
from depthmask.storage.path import REPORT, StorePath
from depthmask.storage.publish import disk_error

_START = b"<!doctype html>"
"""The beginning of every page."""


def main(arguments: Sequence[str]) -> int:
    """Write the page, and print its path."""
    options = parse("report", arguments)
    require_vega()
    dataset = open(options["OUT"])
    path = dataset.path / REPORT
    if options["into"]:
        path = location(options["into"])
        _refuse_other_content(path)
    with Screen() as screen, screen.bar("samples", len(dataset), "samples") as advance:
        page = report(dataset, advance)
    try:
        # The page shows the folder's name, which may contain bytes that are not valid UTF-8.
        path.write_whole(page.encode("utf-8", "backslashreplace"))
    except PermissionError as error:
        raise UsageError(f"{path}: {error.strerror}; give another file with --into FILE") from None
    except OSError as error:
        raise disk_error(error, path.parent) from error
    print(path)
    return 0


def _refuse_other_content(path: StorePath) -> None:
    """Raise `UsageError` for a folder, and for a file that is no page."""
    if path.is_dir():
        raise UsageError(f"--into {path} is a folder; give a file, such as {path / REPORT}")
    if path.is_file() and not path.read_bytes().startswith(_START):
        raise UsageError(f"--into {path} exists, and is no report; choose another file")
