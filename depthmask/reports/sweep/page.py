"""The page of a sweep: one HTML file that needs no other file and no network."""

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
from depthmask.reports.sweep.table import Table, in_short, settings
from depthmask.reports.templates import page_template
from depthmask.storage.location import location
from depthmask.storage.path import StorePath

_SHEETS_BYTES = 32 << 20
"""Of all contact sheets together: browsers show a page of this size without delay."""
_LEAST_WIDTH = 240
_MOST_ABREAST = 4


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contact sheet in the page. uri: its JPEG bytes as a `data:` address."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Card:
    """A job on the page. words: the settings that differ between jobs. cells: text by column."""

    number: int
    words: list[tuple[str, str]]
    cells: dict[str, str]
    status: Status
    reason: str
    dataset: str
    sheet: Sheet | None


def page(table: Table, folder: StorePath, command: str, seconds: float) -> str:
    """The HTML of the page. folder: of the sweep. seconds: of the whole sweep."""
    results = table.results
    return page_template("depthmask.reports.sweep").render(
        name=folder.absolute().name,
        command=command,
        day=time.strftime("%Y-%m-%d %H:%M"),
        version=__version__,
        seconds=_duration(seconds),
        samples=f"{sum(one.samples or 0 for one in results):,}",
        megabytes=f"{sum(one.bytes or 0 for one in results) / 1e6:,.1f}",
        bad=[one for one in results if not one.status.is_good],
        columns=[(name, _title(name), name in table.varied) for name in table.columns()],
        cards=[_card(table, one, row) for one, row in zip(results, table.rows(), strict=True)],
        abreast=_abreast(table),
    )


def _card(table: Table, one: JobResult, row: dict[str, Any]) -> Card:
    values = settings(one)
    return Card(
        number=one.number,
        words=[(name, values[name]) for name in table.varied or values if name in values],
        cells={name: in_short(name, value) for name, value in _for_people(row).items()},
        status=one.status,
        reason=one.reason,
        dataset=one.dataset,
        sheet=_sheet(location(one.dataset) / "preview.jpg", _SHEETS_BYTES // len(table.results))
        if one.dataset
        else None,
    )


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    """The row with bytes in MB, and the mean of the mask in per cent."""
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


def _abreast(table: Table) -> int:
    """Columns of sheets: one for each value of the setting that changes fastest between jobs."""
    if not table.varied:
        return 1
    values = {settings(one).get(table.varied[-1]) for one in table.results}
    is_product = len(table.results) % len(values) == 0
    return len(values) if is_product and 1 < len(values) <= _MOST_ABREAST else 2


def _sheet(path: StorePath, most_bytes: int) -> Sheet | None:
    """The contact sheet, reduced if it has more bytes; None if it cannot be read."""
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
