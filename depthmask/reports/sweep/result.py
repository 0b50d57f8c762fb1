"""The result of a job of a sweep, which the process of the job writes as a JSON file."""

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

    overrides: the overrides of the job. samples, bytes, statistics: those of its dataset. made: the
    number of samples that this run made, in `seconds`. value: the number that a sweeper optimises.
    where: the machine and the process of the job. depth_unit: of its depth, empty without any.
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
    depth_unit: str = ""

    @property
    def samples_per_s(self) -> float | None:
        """Samples made per second; None if none were made."""
        return self.made / self.seconds if self.made and self.seconds else None


def write_result(job_folder: Path, result: JobResult) -> None:
    """Write the result for `collect`, which sees the complete file or none."""
    plain = {**asdict(result), "status": result.status.name}
    content = json.dumps(plain, indent=1).encode() + b"\n"
    location(job_folder / f"{result.number}.json").write_whole(content)


def collect(job_folder: Path, planned: Sequence[Sequence[str]]) -> list[JobResult]:
    """The results of all jobs, sorted by number; planned jobs without a result are unfinished.

    planned: the overrides of each job.
    """
    unfinished = (
        JobResult(number, tuple(overrides), Status.unfinished)
        for number, overrides in enumerate(planned)
    )
    results = {result.number: result for result in unfinished}
    for path in result_files(job_folder):
        plain = json.loads(path.read_text(encoding="utf-8"))
        plain.update(overrides=tuple(plain["overrides"]), status=Status[plain["status"]])
        results[plain["number"]] = JobResult(**plain)
    return [results[number] for number in sorted(results)]


def result_files(job_folder: Path) -> list[Path]:
    """The result files of a sweep; a new sweep removes those of an earlier one."""
    return [path for path in job_folder.glob("*.json") if path.stem.isdecimal()]


def number_at(data: dict[str, Any], target: str) -> float:
    """The number at a dotted path of `dataset.json`, such as `statistics.mask.mean`.

    A list of one number stands for the number; the items of a longer list are `.0`, `.1` and so on.
    Raises `UsageError` if there is no number at this path.
    """
    numbers = dict(_numbers(data, ""))
    if target not in numbers:
        raise UsageError(
            f"target={target}: no such number in dataset.json; available: {', '.join(numbers)}"
        )
    return numbers[target]


def _numbers(value: Any, name: str) -> list[tuple[str, float]]:
    if isinstance(value, list) and len(value) == 1:
        return _numbers(value[0], name)
    if isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        prefix = f"{name}." if name else ""
        return [pair for key in value for pair in _numbers(value[key], f"{prefix}{key}")]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return [(name, float(value))] if is_number else []
