"""Finds the best trials of a sweep that optimises numbers of its datasets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from depthmask.config.command_from_plan import command_from_plan
from depthmask.reports.sweep.result import JobResult
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed
from depthmask.storage.shell import word
from depthmask.untrusted import untrusted

MAXIMIZE, MINIMIZE = "maximize", "minimize"


@dataclass(frozen=True, slots=True)
class BestTrial:
    """A trial that no other is better than.

    values: the numbers that are optimised, each with its direction, as text. settings: those that
    the sweeper has chosen, as on the command line. command: the shell command that makes the
    dataset again, in a folder named by its settings.
    """

    number: int | None
    values: str
    settings: str
    command: str

    @property
    def text(self) -> str:
        """The trial in one line."""
        return f"job {self.number}: {self.values}, with {self.settings}"


def best_trials(
    results: Sequence[JobResult], directions: Mapping[str, str], varied: Sequence[str]
) -> list[BestTrial]:
    """The best trial; with several numbers, all trials that no other is better than in each.

    directions: number -> `maximize` or `minimize`; empty if none is optimised. varied: the settings
    that differ between jobs.
    """
    if not directions:
        return []
    costs = {
        position: tuple(
            -result.values[target] if direction == MAXIMIZE else result.values[target]
            for target, direction in directions.items()
        )
        for position, result in enumerate(results)
        if result.values and not any(map(math.isnan, result.values.values()))
    }
    best: dict[tuple[float, ...], BestTrial] = {}
    for position, cost in costs.items():
        if not any(_is_better(other, cost) for other in costs.values()) and cost not in best:
            best[cost] = _trial(results[position], directions, varied)
    return list(best.values())


def _is_better(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether a trial costs less in one number, and more in none."""
    return one != other and all(cost <= limit for cost, limit in zip(one, other, strict=True))


def _trial(result: JobResult, directions: Mapping[str, str], varied: Sequence[str]) -> BestTrial:
    values = [
        f"{target}={result.values[target]:.6g} ({direction})"
        for target, direction in directions.items()
    ]
    chosen = [word for word in result.overrides if word.partition("=")[0] in varied]
    return BestTrial(
        number=result.number,
        values=", ".join(values),
        settings=" ".join(map(word, chosen or result.overrides)),
        command=_command(result),
    )


def _command(result: JobResult) -> str:
    folder = location(result.dataset)
    with untrusted(str(folder / "plan.json")):
        return command_from_plan(read_sealed(folder / "plan.json") or {}) or ""
