"""The table of a sweep, as text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from depthmask.reports.sweep.result import JobResult
from depthmask.reports.units import with_unit
from depthmask.untrusted import visible

_STATISTICS = (
    ("image_mean", "image", "mean"),
    ("image_std", "image", "std"),
    ("mask_mean", "mask", "mean"),
    ("depth_mean", "depth", "mean"),
)
"""(column, kind, moment) of the statistics; values of images are means over the channels."""


_NOT_COMPARED = ("output", "overwrite", "target", "samples")
"""Settings that have no column: `samples` has one already, the others do not affect a dataset."""


@dataclass(frozen=True, slots=True)
class Table:
    """A row for each job. varied: the settings that differ between rows; they are columns.

    targets: the numbers that are optimised; also columns.
    """

    results: Sequence[JobResult]
    varied: tuple[str, ...]
    targets: tuple[str, ...]

    @classmethod
    def of(cls, results: Sequence[JobResult], targets: Sequence[str] = ()) -> Table:
        """The table of these results.

        The settings that jobs override come first, then all others that differ.
        """
        values = [settings(result) for result in results]
        overridden = (_override(word)[0] for result in results for word in result.overrides)
        names = dict.fromkeys([*overridden, *(name for one in values for name in one)])
        known = {name for result in results for name in result.settings}
        differing = [name for name in names if _differs(name, values, name in known)]
        return cls(results, tuple(differing), tuple(targets))

    @property
    def named(self) -> tuple[str, ...]:
        """The settings that differ and that overrides name; all that differ if these are the same.

        What presets set would make the lines too long for a terminal.
        """
        words = {_override(word)[0] for result in self.results for word in result.overrides}
        named = tuple(name for name in self.varied if name in words)
        return named if self._distinct(named) == self._distinct(self.varied) else self.varied

    def _distinct(self, names: Sequence[str]) -> int:
        """The number of rows that differ in these settings."""
        return len({tuple(map(settings(result).get, names)) for result in self.results})

    def columns(self, varied: Sequence[str] | None = None) -> list[str]:
        """The names of the columns. varied: the settings among them; all that differ by default."""
        varied = self.varied if varied is None else varied
        targets = [f"target:{target}" for target in self.targets]
        names = [name for name, _, _ in _STATISTICS]
        return [
            "job", *varied, "samples", "samples_per_s", "bytes", *names, *targets, "status"
        ]  # fmt: skip

    @property
    def units(self) -> dict[str, str]:
        """Column -> the unit of its numbers, where all jobs have the same one."""
        units = {one.depth_unit for one in self.results if "depth" in one.statistics}
        return {"depth_mean": units.pop()} if len(units) == 1 else {}

    def rows(self) -> list[dict[str, Any]]:
        """A row for each job; a value is None if it is unknown."""
        return [self._row(result) for result in self.results]

    def _row(self, result: JobResult) -> dict[str, Any]:
        return {
            "job": result.number,
            **{name: settings(result).get(name) for name in self.varied},
            "samples": result.samples,
            "samples_per_s": result.samples_per_s,
            "bytes": result.bytes,
            **{name: _mean(result, kind, moment) for name, kind, moment in _STATISTICS},
            **{f"target:{target}": result.values.get(target) for target in self.targets},
            "status": result.status.value,
        }

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
        """The table with aligned columns, of `named` settings; failed jobs end with the reason."""
        columns = self.columns(self.named)
        rows = [[short_text(name, row[name]) for name in columns] for row in self.rows()]
        for result, cells in zip(self.results, rows, strict=True):
            if result.reason:
                cells[-1] += f": {visible(result.reason)}"
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
    """The settings of a job as name -> value; a removed setting has the value `~`.

    Those of the dataset have precedence over the overrides, which may spell a value in another way.
    """
    overrides = dict(map(_override, result.overrides))
    own = {
        name: text for name, text in overrides.items() if name.lstrip("+") not in result.settings
    }
    return {**own, **result.settings}


def _override(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    return name, value if equals else "~"


def _differs(name: str, values: Sequence[dict[str, str]], is_setting: bool) -> bool:
    """Whether a name has several values.

    A setting that a row lacks, as it is one of another stage, is not another value.
    """
    if name in _NOT_COMPARED:
        return False
    texts = {one.get(name) for one in values}
    return len(texts - {None} if is_setting else texts) > 1


def short_text(name: str, value: Any) -> str:
    """A value as short text with few digits; `-` for None."""
    if value is None:
        return "-"
    if name == "samples_per_s":
        return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
    if isinstance(value, float):
        return f"{value:.5g}" if name.startswith("target:") else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else visible(str(value))


def _mean(result: JobResult, kind: str, moment: str) -> float | None:
    values = result.statistics.get(kind, {}).get(moment)
    return sum(values) / len(values) if values else None
