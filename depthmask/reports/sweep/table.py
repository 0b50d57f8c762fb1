"""The table of a sweep, as text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from depthmask.reports.sweep.result import JobResult
from depthmask.reports.units import with_unit

_STATISTICS = (
    ("image_mean", "image", "mean"),
    ("image_std", "image", "std"),
    ("mask_mean", "mask", "mean"),
    ("depth_mean", "depth", "mean"),
)
"""(column, kind, moment) of the statistics; values of images are means over the channels."""


@dataclass(frozen=True, slots=True)
class Table:
    """A row for each job. varied: the settings that differ between jobs; they are columns."""

    results: Sequence[JobResult]
    varied: tuple[str, ...]
    target: str | None

    @classmethod
    def of(cls, results: Sequence[JobResult], target: str | None) -> Table:
        """The table of these results. target: the number that is optimised; also a column."""
        names = dict.fromkeys(name for result in results for name in settings(result))
        differing = [
            name for name in names if len({settings(result).get(name) for result in results}) > 1
        ]
        return cls(results, tuple(differing), target)

    def columns(self) -> list[str]:
        """The names of the columns."""
        target = [f"target:{self.target}"] if self.target else []
        names = [name for name, _, _ in _STATISTICS]
        return ["job", *self.varied, "samples", "samples_per_s", "bytes", *names, *target, "status"]

    @property
    def units(self) -> dict[str, str]:
        """Column -> the unit of its numbers, where all jobs have the same one."""
        units = {one.depth_unit for one in self.results if "depth" in one.statistics}
        return {"depth_mean": units.pop()} if len(units) == 1 else {}

    def rows(self) -> list[dict[str, Any]]:
        """A row for each job; a value is None if it is unknown."""
        return [self._row(result) for result in self.results]

    def _row(self, result: JobResult) -> dict[str, Any]:
        row = {
            "job": result.number,
            **{name: settings(result).get(name) for name in self.varied},
            "samples": result.samples,
            "samples_per_s": result.samples_per_s,
            "bytes": result.bytes,
            **{name: _mean(result, kind, moment) for name, kind, moment in _STATISTICS},
            "status": result.status.value,
        }
        if self.target:
            row[f"target:{self.target}"] = result.value
        return row

    def as_csv(self) -> str:
        """A line for each job; the last columns are reason, dataset and overrides."""
        more = ("reason", "dataset", "overrides")
        file = io.StringIO()
        writer = csv.DictWriter(file, [*self.columns(), *more], lineterminator="\n")
        writer.writeheader()
        for result, row in zip(self.results, self.rows(), strict=True):
            words = " ".join(result.overrides)
            writer.writerow(
                {**row, "reason": result.reason, "dataset": result.dataset, "overrides": words}
            )
        return file.getvalue()

    def as_text(self) -> str:
        """The table with aligned columns; failed jobs have the reason at the end."""
        columns = self.columns()
        rows = [[short_text(name, row[name]) for name in columns] for row in self.rows()]
        for result, cells in zip(self.results, rows, strict=True):
            if result.reason:
                cells[-1] += f": {result.reason}"
        titles = [with_unit(name, self.units.get(name, "")) for name in columns]
        lines = [titles, *rows]
        widths = [max(len(line[number]) for line in lines) for number in range(len(columns))]
        left = {*self.varied, "status"}
        return "\n".join(
            "  ".join(
                cell.ljust(width) if name in left else cell.rjust(width)
                for name, cell, width in zip(columns, line, widths, strict=True)
            ).rstrip()
            for line in lines
        )


def settings(result: JobResult) -> dict[str, str]:
    """The overrides of a job as name -> value; a removed setting has the value `~`."""
    pairs = (word.partition("=") for word in result.overrides)
    return {name: value if equals else "~" for name, equals, value in pairs}


def short_text(name: str, value: Any) -> str:
    """A value as short text with few digits; `-` for None."""
    if value is None:
        return "-"
    if name == "samples_per_s":
        return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
    if isinstance(value, float):
        return f"{value:.5g}" if name.startswith("target:") else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _mean(result: JobResult, kind: str, moment: str) -> float | None:
    values = result.statistics.get(kind, {}).get(moment)
    return sum(values) / len(values) if values else None
