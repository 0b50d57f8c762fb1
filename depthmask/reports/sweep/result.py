"""The result of a job of a sweep, as a JSON file that the process of the job writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from depthmask.errors import UsageError
from depthmask.storage.location import location


class Status(Enum):
    """How a job ended."""

    made = "made"
    complete = "nothing left to do"
    failed = "failed"
    unfinished = "did not finish"

    @property
    def is_good(self) -> bool:
        """Whether the job's dataset is complete."""
        return self in (Status.made, Status.complete)


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of one job.

    overrides: the settings of its command. samples, bytes, statistics: of its dataset. made: the
    number of samples that this run made, in `seconds`. value: the number that a sweeper optimises.
    where: machine and process.
    """

    number: int
    overrides: tuple[str, ...]
    status: Status
    reason: str = ""
    dataset: str = ""
    samples: int | None = None
    bytes: int | None = None
    made: int = 0
    seconds: float = 0.0
    value: float | None = None
    where: str = ""
    statistics: dict[str, Any] = field(default_factory=dict)

    @property
    def samples_per_s(self) -> float | None:
        """Samples made per second; None if none were made."""
        return self.made / self.seconds if self.made and self.seconds else None


def write_result(notes: Path, result: JobResult) -> None:
    """Write the result for `collect`; readers see it whole or not at all."""
    plain = {**asdict(result), "status": result.status.name}
    content = json.dumps(plain, indent=1).encode() + b"\n"
    location(notes / f"{result.number}.json").write_whole(content)


def collect(notes: Path, announced: Sequence[Sequence[str]]) -> list[JobResult]:
    """The results of all jobs, by number; announced jobs without a result are unfinished."""
    unfinished = (
        JobResult(number, tuple(overrides), Status.unfinished)
        for number, overrides in enumerate(announced)
    )
    results = {result.number: result for result in unfinished}
    for path in result_files(notes):
        plain = json.loads(path.read_text(encoding="utf-8"))
        plain.update(overrides=tuple(plain["overrides"]), status=Status[plain["status"]])
        results[plain["number"]] = JobResult(**plain)
    return [results[number] for number in sorted(results)]


def result_files(notes: Path) -> list[Path]:
    """The result files of a sweep; a new sweep removes those of an earlier one."""
    return [path for path in notes.glob("*.json") if path.stem.isdecimal()]


def number_at(data: dict[str, Any], target: str) -> float:
    """The number at a dotted path of `dataset.json`, as `statistics.mask.mean`.

    A list of one number is that number; the items of a longer list are `.0`, `.1` and so on.
    UsageError if there is no number at this path.
    """
    numbers = dict(_numbers(data, ""))
    if target not in numbers:
        raise UsageError(
            f"target={target}: no such number in dataset.json; there are: {', '.join(numbers)}"
        )
    return numbers[target]


def _numbers(value: Any, name: str) -> list[tuple[str, float]]:
    if isinstance(value, list) and len(value) == 1:
        return _numbers(value[0], name)
    if isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        prefix = f"{name}." if name else ""
        return [one for key in value for one in _numbers(value[key], f"{prefix}{key}")]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return [(name, float(value))] if is_number else []
