"""The table: the mean of each recipe, and its differences from what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from benchmarks.usefulness.compare import Difference, difference, spread, table_of
from benchmarks.usefulness.identity import Identity
from benchmarks.usefulness.recipes_file import Recipe
from benchmarks.usefulness.runs import Ledger, Run, Scale, runs_of
from benchmarks.usefulness.scoring import HIGHER_IS_BETTER, MAIN
from benchmarks.usefulness.sets import CHOOSING

AGAINST = {"depth": ("seed-style",), "masks": ("random",)}
"""What recipes without photographs of their own are compared with; depth with `untouched`, too."""
ALONE = "photographs"
"""The recipe of n photographs alone, with which others of the same n are compared."""


@dataclass(frozen=True)
class Row:
    """A recipe at a number of photographs (0: none).

    spread: the standard deviation over its runs, where there are two. lines: those of its runs that
    have scores. failed: those that have none. of_runs: metric -> the mean of each run.
    against: other recipe -> metric -> difference.
    """

    recipe: Recipe
    photographs: int
    lines: list[dict[str, Any]]
    failed: list[dict[str, Any]]
    means: dict[str, float]
    spread: dict[str, float]
    of_runs: dict[str, list[float]]
    against: dict[str, dict[str, Difference]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The recipe and its n."""
        return (
            f"{self.recipe.name}, n = {self.photographs}" if self.photographs else self.recipe.name
        )

    @property
    def runs(self) -> str:
        """How many runs there are, and how many failed."""
        count = len(self.lines) + len(self.failed)
        return f"{count}, {len(self.failed)} failed" if self.failed else str(count)

    def score(self, metric: str) -> str:
        """`0.212 +- 0.004`; of one run without its deviation."""
        mean = f"{self.means[metric]:.3f}"
        return f"{mean} +- {self.spread[metric]:.3f}" if metric in self.spread else mean


Group = tuple[Recipe, int]
Lines = list[tuple[Run, dict[str, Any]]]


class Results:
    """The lines of a half, by recipe and number of photographs."""

    def __init__(
        self, ledger: Ledger, recipes: Sequence[Recipe], scale: Scale, part: str,
        scenes: Mapping[str, str], identity: Identity,
    ) -> None:  # fmt: skip
        self._scale, self._part, self._scenes = scale, part, scenes
        self.lines: dict[Group, list[tuple[Run, dict[str, Any]]]] = {}
        for recipe in recipes:
            for run, line in ledger.of(runs_of(recipe, scale, identity)):
                self.lines.setdefault((recipe, run.photographs), []).append((run, line))

    def rows(self) -> list[Row]:
        """A row for each group, in the order of the recipes."""
        return [self._row(group) for group in sorted(self.lines, key=_order)]

    def _row(self, group: Group) -> Row:
        scored = self._scored(group)
        tables = {metric: self._table(scored, metric) for metric in HIGHER_IS_BETTER}
        tables = {name: table for name, table in tables.items() if np.isfinite(table).any()}
        of_runs = {name: np.nanmean(table, axis=1) for name, table in tables.items()}
        spreads = {name: spread(values) for name, values in of_runs.items()}
        return Row(
            *group,
            [line for _, line in scored],
            [line for _, line in self.lines[group] if "failed" in line],
            {name: float(values.mean()) for name, values in of_runs.items()},
            {name: value for name, value in spreads.items() if value is not None},
            {name: values.tolist() for name, values in of_runs.items()},
            {other[0].name: self._differences(group, other) for other in self._others(group)},
        )

    def _scored(self, group: Group) -> Lines:
        """The lines that did not fail."""
        return [(run, line) for run, line in self.lines[group] if "scores" in line]

    def _table(self, lines: Lines, metric: str, part: str | None = None) -> Any:
        scores = [line["scores"][part or self._part] for _, line in lines]
        return table_of(scores, metric, self._scenes)

    def _differences(self, group: Group, other: Group) -> dict[str, Difference]:
        first, second = self._scored(group), self._scored(other)
        # A network that is not trained has one run, which has no seed.
        has_pairs = not (group[0].side or other[0].side)
        if has_pairs:
            both = {run.number for run, _ in first} & {run.number for run, _ in second}
            first, second = ([x for x in some if x[0].number in both] for some in (first, second))
        found = {
            metric: difference(
                self._table(first, metric), self._table(second, metric), self._scale.bootstraps,
                has_pairs=has_pairs,
            )
            for metric in HIGHER_IS_BETTER
        }  # fmt: skip
        return {metric: one for metric, one in found.items() if one is not None}

    def _others(self, group: Group) -> list[Group]:
        recipe, photographs = group
        usual = (ALONE,) if recipe.photographs else AGAINST[recipe.task]
        names = {*usual, *recipe.against}
        others = [
            other
            for other in self.lines
            if other[0].task == recipe.task and other[0].name in names and other[1] == photographs
        ]
        if recipe.task == "depth" and (best := self._best_untouched()):
            others.append(best)
        others = [*dict.fromkeys(others)]
        return [other for other in others if other != group]

    def _best_untouched(self) -> Group | None:
        """The untouched network at the size where its abs_rel is the lower.

        On the choosing half, whichever half is shown.
        """
        untouched = [group for group in self.lines if group[0].side and self._scored(group)]
        table = {
            group: np.nanmean(self._table(self._scored(group), "abs_rel", CHOOSING))
            for group in untouched
        }
        return min(table, key=lambda group: table[group]) if table else None


def _order(group: Group) -> tuple[Any, ...]:
    recipe, photographs = group
    return recipe.task, photographs, not recipe.side, recipe.name


def as_text(rows: Sequence[Row]) -> str:
    """The table for a terminal: the main scores, and differences with their intervals."""
    lines = []
    for row in rows:
        metrics = [m for m in MAIN[row.recipe.task] if m in row.means]
        cells = [f"{m} {row.score(m)}" for m in metrics]
        for other, differences in row.against.items():
            cells += [f"{m} - {other} {interval(differences[m])}"
                      for m in metrics if m in differences]  # fmt: skip
        cells += [f"draw or seed {line['number']} failed: {line['failed']}" for line in row.failed]
        lines.append(f"{row.recipe.task} {row.title} (runs: {row.runs}): {'; '.join(cells)}")
    return "\n".join(lines)


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The table as JSON values: what is committed, and docs are made from."""
    return [
        {
            "task": row.recipe.task,
            "recipe": row.recipe.name,
            "photographs": row.photographs,
            "runs": len(row.lines) + len(row.failed),
            "failed": [_kept(line, {}) for line in row.failed],
            "of_runs": [
                _kept(line, {metric: values[i] for metric, values in row.of_runs.items()})
                for i, line in enumerate(row.lines)
            ],
            "means": row.means,
            "spread": row.spread,
            "against": {
                other: {metric: asdict(one) for metric, one in differences.items()}
                for other, differences in row.against.items()
            },
        }
        for row in rows
    ]


def _kept(line: dict[str, Any], means: dict[str, float]) -> dict[str, Any]:
    """What the table keeps of a run: its circumstances, and its means over scenes."""
    plain = {name: value for name, value in line.items() if name not in ("key", "scores")}
    known = {metric: value for metric, value in means.items() if np.isfinite(value)}
    return {**plain, "means": known}


def interval(difference: Difference) -> str:
    """`+0.012 [-0.003, 0.020]`."""
    if difference.low is None:
        return f"{difference.mean:+.3f} (too few scenes)"
    return f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
