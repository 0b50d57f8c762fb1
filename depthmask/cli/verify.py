"""`depthmask verify OUT`: check that every byte of a dataset is as published."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from depthmask.cli.screen import Screen
from depthmask.engine.from_plan import job_from_plan
from depthmask.engine.run import run_job
from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.publish import read_sealed
from depthmask.storage.verify import Problem, verify


def main(arguments: Sequence[str]) -> int:
    """Print a line for each problem; returns 0 if there are none, or none after the repair."""
    parser = argparse.ArgumentParser(prog="depthmask verify", description=__doc__)
    parser.add_argument("dataset", metavar="OUT", type=location, help="folder of a dataset")
    parser.add_argument("--repair", action="store_true", help="make damaged shards again")
    options = parser.parse_args(arguments)
    if not (options.dataset / "plan.json").is_file():
        raise UsageError(f"{options.dataset} is not a dataset (plan.json is missing)")
    problems = _report(options.dataset)
    if problems and options.repair:
        repair(options.dataset, problems)
        problems = _report(options.dataset)
    return DepthmaskError.exit_code if problems else 0


def repair(output: StorePath, problems: Sequence[Problem]) -> None:
    """Make damaged shards again, to the same bytes.

    Raises `DepthmaskError` if the plan is damaged.
    """
    plan = read_sealed(output / "plan.json")
    if plan is None:
        raise DepthmaskError(
            f"{output}: plan.json is damaged; make the dataset again with overwrite=true"
        )
    screen = Screen()
    try:
        run_job(job_from_plan(plan, output), screen)
    finally:
        screen.close()
    # Only after the run, so that a run that is refused changes nothing.
    for problem in problems:
        if problem.stray is not None:
            problem.stray.unlink(missing_ok=True)


def _report(output: StorePath) -> list[Problem]:
    problems = verify(output)
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{output}: every shard is as published")
    return problems
