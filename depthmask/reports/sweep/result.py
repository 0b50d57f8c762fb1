"""The result of a job of a sweep, which the process of the job writes as a JSON file."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any

from depthmask.errors import UsageError
from depthmask.storage.location import location
from depthmask.storage.path import StorePath

_MOST_SIMILAR = 3
"""The most names below a name that an error suggests."""
_COUNTS = ("samples", "bytes", "shards", "backgrounds", "foregrounds")
_MOMENTS = tuple(
    f"statistics.{name}.{moment}{channel}"
    for name, channels in {"image": (".0", ".1", ".2"), "mask": ("",), "depth": ("",)}.items()
    for moment in ("mean", "std")
    for channel in channels
)
"""The numbers under `statistics` that a dataset can have."""
_IN_EVERY = ("schema", "size", "smallest", "variants", "splits", "leakage", "shard_size", "assets",
             "licences", "left_out", "depth", "counts", *_COUNTS)  # fmt: skip
"""The fields of `dataset.json` with other numbers."""


class Status(Enum):
    """How a job ended, or that a dataset is not of this sweep."""

    made = "made"
    complete = "nothing left to do"
    earlier = "made before"
    failed = "failed"
    unfinished = "did not finish"
    not_started = "not started"

    @property
    def is_good(self) -> bool:
        """Whether the job's dataset is complete."""
        return self in (Status.made, Status.complete, Status.earlier)


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of one job, or a dataset of an earlier sweep.

    number: that of the job, None for a dataset that no job of this sweep makes. overrides: the
    overrides of the job. samples, bytes, statistics: those of its dataset. made: the number of
    samples that were made in `seconds`, by the last run that made any. values: the numbers that a
    sweeper optimises, by name. where: the machine and the process of the job. depth_unit: of its
    depth, empty without any. settings: all settings that determine the samples, as name -> text;
    empty if the config could not be composed.
    """

    number: int | None
    overrides: tuple[str, ...]
    status: Status
    reason: str = ""
    dataset: str = ""
    samples: int | None = None
    bytes: int | None = None
    made: int = 0
    seconds: float = 0.0
    values: dict[str, float] = field(default_factory=dict)
    where: str = ""
    statistics: dict[str, Any] = field(default_factory=dict)
    depth_unit: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def samples_per_s(self) -> float | None:
        """Samples made per second; None if that is unknown."""
        return self.made / self.seconds if self.made and self.seconds else None

    def as_json(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {**asdict(self), "status": self.status.name}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> JobResult:
        """Read the result of `as_json`, also that of an earlier version with other fields."""
        known = {item.name: plain[item.name] for item in fields(cls) if item.name in plain}
        known.update(overrides=tuple(plain["overrides"]), status=Status[plain["status"]])
        return cls(**known)


def write_result(job_folder: Path, result: JobResult) -> None:
    """Write the result for `collect`, which sees the complete file or none."""
    content = json.dumps(result.as_json(), indent=1).encode() + b"\n"
    location(job_folder / f"{result.number}.json").write_whole(content)


def collect(job_folder: Path, planned: Sequence[Sequence[str]]) -> list[JobResult]:
    """The results of all jobs, sorted by number; planned jobs without a result have not started.

    planned: the overrides of each job.
    """
    results = {
        number: JobResult(number, tuple(overrides), Status.not_started)
        for number, overrides in enumerate(planned)
    }
    for path in result_files(location(job_folder)):
        results[int(path.stem)] = JobResult.from_json(json.loads(path.read_bytes()))
    return [results[number] for number in sorted(results)]


def result_files(job_folder: StorePath) -> list[StorePath]:
    """The result files of a sweep; a new sweep removes those of an earlier one."""
    return [path for path in job_folder.glob("*.json") if path.stem.isdecimal()]


def require_possible(target: str, added: Collection[str]) -> None:
    """Raise `UsageError` for a name that no `dataset.json` has a number of, before any is made.

    added: the names of the statistics that plugins add.
    """
    field_name, _, name = target.partition(".")
    if field_name == "added_statistics" and name.partition(".")[0] in added:
        return
    if field_name not in _IN_EVERY and target not in _MOMENTS:
        of_plugins = [f"added_statistics.{one}.mean" for one in added]
        names = [*_COUNTS, *_MOMENTS, *of_plugins]
        raise UsageError(f"target={target}: {_no_such_number(target, names)}")


def number_at(data: dict[str, Any], target: str) -> float:
    """The number at a dotted path of `dataset.json`, such as `statistics.mask.mean`.

    A list of one number stands for the number; the items of a longer list are `.0`, `.1` and so on.
    Raises `UsageError` if there is no number at this path.
    """
    numbers = dict(_numbers(data, ""))
    if target not in numbers:
        raise UsageError(f"target={target}: {_no_such_number(target, list(numbers))}")
    return numbers[target]


def _no_such_number(target: str, names: Sequence[str]) -> str:
    """The message for a name that is missing: similar names, or those that begin with it."""
    below = [name for name in names if target and name.startswith(f"{target}.")]
    similar = below or difflib.get_close_matches(target, names, n=1, cutoff=0.6)
    meant = f"; did you mean {' or '.join(similar[:_MOST_SIMILAR])}?" if similar else ""
    usual = ", ".join(one for one in names if one in (*_COUNTS, *_MOMENTS))
    return f"dataset.json has no such number{meant or f'; it has {usual} and others'}"


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
