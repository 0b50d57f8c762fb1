"""Reads the figures of a job's result from the dataset that the job has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from depthmask.config.command_from_plan import settings_of
from depthmask.config.plan_config import config_of
from depthmask.errors import DepthmaskError
from depthmask.reading.dataset import Dataset, open_summary
from depthmask.reports.sweep.result import JobResult, number_at
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed
from depthmask.untrusted import untrusted


def with_figures(result: JobResult) -> JobResult:
    """The result with the settings and figures of its dataset, as far as the dataset exists.

    Raises `DepthmaskError` for a dataset that cannot be read.
    """
    folder = location(result.dataset)
    plan = read_sealed(folder / "plan.json") if result.dataset else None
    if plan is None:
        return replace(result, dataset="")
    with untrusted(str(folder / "plan.json")):
        result = replace(result, settings=settings_of(config_of(plan)))
    if not (folder / "dataset.json").is_file():
        return result
    dataset = open_summary(folder)
    info = dataset.metadata
    return replace(
        result,
        samples=info.samples,
        bytes=info.bytes,
        statistics=dataset.stats,
        depth_unit=info.contract.unit if info.contract else "",
    )


def with_values(result: JobResult, targets: Sequence[str]) -> JobResult:
    """The result with the numbers of its dataset that are optimised, if it is complete.

    Raises `UsageError` for a name that is none of a number in `dataset.json`.
    """
    if not result.status.is_good or not targets:
        return result
    info = open_summary(result.dataset).metadata.as_json()
    return replace(result, values={target: number_at(info, target) for target in targets})


def with_rate(result: JobResult) -> JobResult:
    """The result with the rate of one process by the records, if no run has measured the rate."""
    if result.made or result.samples is None:
        return result
    try:
        return replace(result, made=result.samples, seconds=_seconds(open_summary(result.dataset)))
    except DepthmaskError:
        return result


def _seconds(dataset: Dataset) -> float:
    """The time in which all shards were made, summed over the processes."""
    with untrusted(str(dataset.path)):
        return sum(float(sum(record.seconds.values())) for record in dataset.records())
