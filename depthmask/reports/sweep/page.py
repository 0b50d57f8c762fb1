"""Renders the page of a sweep: one HTML file that needs no other file and no network."""

from __future__ import annotations

import base64
import io
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from depthmask._version import __version__
from depthmask.reports.sweep.best import BestTrial
from depthmask.reports.sweep.result import JobResult, Status
from depthmask.reports.sweep.table import Table, settings, short_text
from depthmask.reports.templates import page_template
from depthmask.reports.units import size, with_unit
from depthmask.storage.location import location
from depthmask.storage.path import PREVIEW, StorePath

_SHEETS_BYTES = 32 << 20
"""The most bytes of all contact sheets together, which browsers show without delay."""
_LEAST_WIDTH = 240
_MOST_SHEET_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contact sheet in the page. uri: its JPEG file as a `data:` URI."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Card:
    """A job on the page, or a dataset of an earlier sweep.

    anchor: its name in links. title: the job, or that there is none. settings: those that differ,
    as (name, value). cells: column -> text. folder: the name of the dataset's folder.
    """

    anchor: str
    title: str
    settings: list[tuple[str, str]]
    cells: dict[str, str]
    status: Status
    reason: str
    dataset: str
    folder: str
    sheet: Sheet | None


def page(
    table: Table, folder: StorePath, command: str, seconds: float, best: Sequence[BestTrial] = ()
) -> str:
    """The HTML of the page.

    folder: the folder of the sweep. seconds: how long the sweep took. best: the best trials.
    """
    results = table.results
    jobs = [result for result in results if result.number is not None]
    return page_template("depthmask.reports.sweep").render(
        name=folder.absolute().name,
        command=command,
        day=time.strftime("%Y-%m-%d %H:%M"),
        version=__version__,
        seconds=_duration(seconds),
        samples=f"{sum(result.samples or 0 for result in results):,}",
        size=size(sum(result.bytes or 0 for result in results)),
        jobs=len(jobs),
        before=len(results) - len(jobs),
        bad=[result for result in jobs if not result.status.is_good],
        best=best,
        columns=[
            (name, with_unit(_title(name), table.units.get(name, "")), name in table.varied)
            for name in table.columns()
        ],
        cards=[_card(table, position, row) for position, row in enumerate(table.rows())],
        sheet_columns=_sheet_columns(table),
    )


def _card(table: Table, position: int, row: dict[str, Any]) -> Card:
    result = table.results[position]
    values = settings(result)
    is_job = result.number is not None
    return Card(
        anchor=f"job-{result.number}" if is_job else f"dataset-{position}",
        title=f"job {result.number}" if is_job else "from before",
        settings=[
            (name, values[name]) for name in table.varied or _overridden(result) if name in values
        ],
        cells={name: short_text(name, value) for name, value in _readable(row).items()},
        status=result.status,
        reason=result.reason,
        dataset=result.dataset,
        folder=location(result.dataset).name if result.dataset else "",
        sheet=_sheet(location(result.dataset) / PREVIEW, _SHEETS_BYTES // len(table.results))
        if result.dataset
        else None,
    )


def _overridden(result: JobResult) -> list[str]:
    return [word.partition("=")[0] for word in result.overrides]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """The row, with bytes in a unit that fits and the mean of the mask in per cent."""
    covered = row["mask_mean"]
    return {
        **row,
        "bytes": None if row["bytes"] is None else size(row["bytes"]),
        "mask_mean": None if covered is None else f"{covered:.2%}",
    }


_TITLES = {
    "samples_per_s": "samples/s",
    "bytes": "size",
    "image_mean": "image mean",
    "image_std": "image std",
    "mask_mean": "mask coverage",
    "depth_mean": "depth mean",
}


def _title(name: str) -> str:
    return _TITLES.get(name, name.removeprefix("target:"))


def _sheet_columns(table: Table) -> int:
    """The number of columns of sheets: one for each value of the setting that changes fastest."""
    if not table.varied:
        return 1
    values = {settings(result).get(table.varied[-1]) for result in table.results}
    is_product = len(table.results) % len(values) == 0
    return len(values) if is_product and 1 < len(values) <= _MOST_SHEET_COLUMNS else 2


def _sheet(path: StorePath, most_bytes: int) -> Sheet | None:
    """The contact sheet, made smaller if it has too many bytes; None if it cannot be read."""
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            if len(content) > most_bytes:
                scale = math.sqrt(most_bytes / len(content))
                width = max(_LEAST_WIDTH, round(image.width * scale))
                image.thumbnail((width, image.height))
                small = io.BytesIO()
                image.save(small, "jpeg", quality=85)
                content = small.getvalue()
            size = image.size
    except OSError:
        return None
    uri = f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
    return Sheet(uri, *size)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
