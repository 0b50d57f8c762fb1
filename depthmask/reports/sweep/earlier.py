"""Keeps the results of earlier sweeps into a folder, so that the table has all of its datasets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from depthmask.config.command_from_plan import overrides_of
from depthmask.config.plan_config import config_of
from depthmask.errors import DepthmaskError, UsageError, refuse_machine_errors
from depthmask.reports.sweep.figures import with_figures, with_rate, with_values
from depthmask.reports.sweep.result import JobResult, Status, result_files
from depthmask.storage.location import location
from depthmask.storage.path import PENDING_HOOKS, StorePath
from depthmask.storage.publish import read_sealed, write_sealed
from depthmask.untrusted import untrusted

_RESULTS = "results.json"
"""The file in the folder of the jobs with the results of all sweeps."""


def read_results(job_folder: StorePath) -> list[JobResult]:
    """The results that earlier sweeps have left in the folder of the jobs, damaged ones left out.

    A sweep that was killed has left a file for each job.
    """
    sealed = read_sealed(job_folder / _RESULTS) or {}
    contents = [*sealed.get("results", []), *map(_content, result_files(job_folder))]
    results: dict[str, JobResult] = {}
    for content in contents:
        with suppress(DepthmaskError), untrusted(str(job_folder)):
            result = replace(JobResult.from_json(content), number=None)
            if result.dataset:
                name = location(result.dataset).name
                results[name] = _with_measured_rate(result, results.get(name))
    return list(results.values())


def write_results(job_folder: StorePath, results: Sequence[JobResult]) -> None:
    """Keep the results for the next sweep."""
    write_sealed(job_folder / _RESULTS, {"results": [result.as_json() for result in results]})


def with_earlier(
    results: Sequence[JobResult],
    earlier: Sequence[JobResult],
    folder: StorePath,
    targets: Sequence[str],
) -> list[JobResult]:
    """The results of a sweep, followed by one for each other dataset of the folder.

    earlier: the results of earlier sweeps; figures come from the datasets, since a dataset may have
    been extended. Failed jobs of earlier sweeps are left out if they have no dataset.
    """
    by_name = {location(result.dataset).name: result for result in earlier}
    own = [
        with_rate(_with_measured_rate(result, by_name.get(location(result.dataset).name)))
        if result.dataset
        else result
        for result in map(_unfinished_as_it_is, results)
    ]
    names = {location(result.dataset).name for result in own if result.dataset}
    others = [
        _other(path, by_name.get(path.name), targets)
        for path in _datasets(folder, earlier)
        if path.name not in names
    ]
    return [*own, *others]


def _unfinished_as_it_is(result: JobResult) -> JobResult:
    """The result, that of an unfinished job with what its dataset has."""
    if result.status is not Status.unfinished or not result.dataset:
        return result
    try:
        return with_figures(result)
    except DepthmaskError:
        return result


def _content(path: StorePath) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        refuse_machine_errors(path, error)
        return None


def _with_measured_rate(result: JobResult, earlier: JobResult | None) -> JobResult:
    """The result, with the rate of the earlier one if this run made no samples."""
    if earlier is None or result.made:
        return result
    return replace(result, made=earlier.made, seconds=earlier.seconds)


def _datasets(folder: StorePath, earlier: Iterable[JobResult]) -> Iterator[StorePath]:
    """Yield the datasets in the folder, first those of earlier sweeps, in their order.

    Without `output=`, the datasets of a sweep are beside its folder.
    """
    inside = {path.name: path for path in sorted(folder.iterdir(), key=lambda path: path.name)}
    for result in earlier:
        name = location(result.dataset).name
        path = inside.pop(name, folder.parent / name)
        if (path / "plan.json").is_file():
            yield path
    yield from (path for path in inside.values() if (path / "plan.json").is_file())


def _other(path: StorePath, earlier: JobResult | None, targets: Sequence[str]) -> JobResult:
    """The result for a dataset that no job of this sweep makes, as the dataset is now."""
    result = JobResult(None, earlier.overrides if earlier else (), Status.unfinished)
    result = _with_measured_rate(replace(result, dataset=str(path)), earlier)
    try:
        result = with_figures(replace(result, overrides=result.overrides or _overrides(path)))
        if result.samples is None or (path / PENDING_HOOKS).is_file():
            return _not_complete(result, earlier)
        result = with_rate(replace(result, status=Status.earlier))
    except DepthmaskError as error:
        return replace(result, status=Status.failed, reason=str(error))
    with suppress(UsageError):  # A dataset of other stages may lack the number.
        result = with_values(result, targets)
    return result


def _not_complete(result: JobResult, earlier: JobResult | None) -> JobResult:
    """The result with the reason why an earlier sweep could not complete the dataset, if known."""
    if earlier is not None and earlier.status is Status.failed:
        return replace(result, status=Status.failed, reason=earlier.reason)
    return replace(result, status=Status.unfinished)


def _overrides(path: StorePath) -> tuple[str, ...]:
    """The overrides that make a dataset, by its plan; none if a run has not generated it."""
    plan = read_sealed(path / "plan.json") or {}
    with untrusted(str(path / "plan.json")):
        return tuple(overrides_of(config_of(plan))) if plan.get("job") == "generate" else ()
