"""Writes the page about a dataset."""

from __future__ import annotations

from os import PathLike

from depthmask.engine.display import Display
from depthmask.errors import UsageError
from depthmask.reading.dataset import open
from depthmask.reports.dataset.charts import require_vega
from depthmask.reports.dataset.page import report
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import REPORT, StorePath
from depthmask.storage.publish import disk_error

_START = b"<!doctype html>"
"""The beginning of every page."""


def write_report(
    dataset_path: str | PathLike[str] | StorePath,
    into: str | PathLike[str] | StorePath | None,
    display: Display,
) -> StorePath:
    """Write the page into the dataset, or into another file; returns its path.

    Raises `UsageError` for a path without a dataset, and for a file that is no such page.
    """
    require_vega()
    dataset = open(dataset_path)
    path = dataset.path / REPORT
    if into:
        path = location(into)
        _refuse_other_content(path)
    with display.bar("samples", len(dataset), "samples") as advance:
        page = report(dataset, advance)
    try:
        # The page shows the folder's name, which may contain bytes that are not valid UTF-8.
        path.write_whole(page.encode("utf-8", "backslashreplace"))
    except PermissionError as error:
        raise UsageError(f"{path}: {error.strerror}; give another file with --into FILE") from None
    except OSError as error:
        raise disk_error(error, path.parent) from error
    return path


def _refuse_other_content(path: StorePath) -> None:
    """Raise `UsageError` for a folder, a file in no folder, and a file that is no page."""
    if path.is_dir():
        raise UsageError(f"--into {path} is a folder; give a file, such as {path / REPORT}")
    if isinstance(path, LocalPath) and not path.parent.is_dir():
        raise UsageError(f"--into {path}: there is no folder {path.parent}; make it first")
    if path.is_file() and not path.read_bytes().startswith(_START):
        raise UsageError(f"--into {path} exists, and is no report; choose another file")
