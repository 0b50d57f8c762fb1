"""The table of a sweep: as text, and as comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from depthmask.reports.sweep.result import JobResult

_STATISTICS = (
    ("image_mean", "image", "mean"),
    ("image_std", "image", "std"),
    ("mask_mean", "mask", "mean"),
    ("depth_mean", "depth", "mean"),
)
"""(column, kind, moment) in the statistics; for images the mean over the channels."""


@dataclass(frozen=True, slots=True)
class Table:
    """A row for each job. varied: the settings that differ between jobs, the first columns."""

    results: Sequence[JobResult]
    varied: tuple[str, ...]
    target: str | None

    @classmethod
    def of(cls, results: Sequence[JobResult], target: str | None) -> Table:
        """The table of these results. target: the number that a sweeper optimises, as a column."""
        names = dict.fromkeys(name for one in results for name in settings(one))
        differing = [
            name for name in names if len({settings(one).get(name) for one in results}) > 1
        ]
        return cls(results, tuple(differing), target)

    def columns(self) -> list[str]:
        """The names of the columns."""
        target = [f"target:{self.target}"] if self.target else []
        names = [name for name, _, _ in _STATISTICS]
        return ["job", *self.varied, "samples", "samples_per_s", "bytes", *names, *target, "status"]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each job; None where a value is not known."""
        return [self._row(one) for one in self.results]

    def _row(self, one: JobResult) -> dict[str, Any]:
        row = {
            "job": one.number,
            **{name: settings(one).get(name) for name in self.varied},
            "samples": one.samples,
            "samples_per_s": one.samples_per_s,
            "bytes": one.bytes,
            **{name: _mean(one, kind, moment) for name, kind, moment in _STATISTICS},
            "status": one.status.value,
        }
        if self.target:
            row[f"target:{self.target}"] = one.value
        return row

    def as_csv(self) -> str:
        """One line for each job; the last columns are reason, dataset and overrides."""
        more = ("reason", "dataset", "overrides")
        file = io.StringIO()
        writer = csv.DictWriter(file, [*self.columns(), *more], lineterminator="\n")
        writer.writeheader()
        for one, row in zip(self.results, self.rows(), strict=True):
            words = " ".join(one.overrides)
            writer.writerow(
                {**row, "reason": one.reason, "dataset": one.dataset, "overrides": words}
            )
        return file.getvalue()

    def as_text(self) -> str:
        """Aligned columns; failed jobs have the reason at the end."""
        columns = self.columns()
        rows = [[in_short(name, row[name]) for name in columns] for row in self.rows()]
        for one, cells in zip(self.results, rows, strict=True):
            if one.reason:
                cells[-1] += f": {one.reason}"
        lines = [columns, *rows]
        widths = [max(len(line[number]) for line in lines) for number in range(len(columns))]
        left = {*self.varied, "status"}
        return "\n".join(
            "  ".join(
                cell.ljust(width) if name in left else cell.rjust(width)
                for name, cell, width in zip(columns, line, widths, strict=True)
            ).rstrip()
            for line in lines
        )


def settings(one: JobResult) -> dict[str, str]:
    """The overrides of a job as name -> value; a removed setting has the value `~`."""
    pairs = (word.partition("=") for word in one.overrides)
    return {name: value if equals else "~" for name, equals, value in pairs}


def in_short(name: str, value: Any) -> str:
    """A value as short text: few digits, `-` for None."""
    if value is None:
        return "-"
    if name == "samples_per_s":
        return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
    if isinstance(value, float):
        return f"{value:.5g}" if name.startswith("target:") else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _mean(one: JobResult, kind: str, moment: str) -> float | None:
    values = one.statistics.get(kind, {}).get(moment)
    return sum(values) / len(values) if values else None
