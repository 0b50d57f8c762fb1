"""Renders the page of a sweep: one HTML file that needs no other file and no network."""

from __future__ import annotations

import base64
import io
import math
import time
from dataclasses import dataclass
from typing import Any

from PIL import Image

from depthmask._version import __version__
from depthmask.reports.sweep.result import JobResult, Status
from depthmask.reports.sweep.table import Table, settings, short_text
from depthmask.reports.templates import page_template
from depthmask.reports.units import with_unit
from depthmask.storage.location import location
from depthmask.storage.path import StorePath

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
    """A job on the page.

    settings: those that differ between jobs, as (name, value). cells: column -> text.
    """

    number: int
    settings: list[tuple[str, str]]
    cells: dict[str, str]
    status: Status
    reason: str
    dataset: str
    sheet: Sheet | None


def page(table: Table, folder: StorePath, command: str, seconds: float) -> str:
    """The HTML of the page. folder: the folder of the sweep. seconds: how long the sweep took."""
    results = table.results
    return page_template("depthmask.reports.sweep").render(
        name=folder.absolute().name,
        command=command,
        day=time.strftime("%Y-%m-%d %H:%M"),
        version=__version__,
        seconds=_duration(seconds),
        samples=f"{sum(result.samples or 0 for result in results):,}",
        megabytes=f"{sum(result.bytes or 0 for result in results) / 1e6:,.1f}",
        bad=[result for result in results if not result.status.is_good],
        columns=[
            (name, with_unit(_title(name), table.units.get(name, "")), name in table.varied)
            for name in table.columns()
        ],
        cards=[
            _card(table, result, row) for result, row in zip(results, table.rows(), strict=True)
        ],
        sheet_columns=_sheet_columns(table),
    )


def _card(table: Table, result: JobResult, row: dict[str, Any]) -> Card:
    values = settings(result)
    return Card(
        number=result.number,
        settings=[(name, values[name]) for name in table.varied or values if name in values],
        cells={name: short_text(name, value) for name, value in _readable(row).items()},
        status=result.status,
        reason=result.reason,
        dataset=result.dataset,
        sheet=_sheet(location(result.dataset) / "preview.jpg", _SHEETS_BYTES // len(table.results))
        if result.dataset
        else None,
    )


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """The row, with bytes in MB and the mean of the mask in per cent."""
    size, covered = row["bytes"], row["mask_mean"]
    return {
        **row,
        "bytes": None if size is None else f"{size / 1e6:,.2f}",
        "mask_mean": None if covered is None else f"{covered:.2%}",
    }


_TITLES = {
    "samples_per_s": "samples/s",
    "bytes": "MB",
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
