"""`depthmask verify OUT`: check that every byte of a dataset is as published."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli import lines
from depthmask.cli.screen import Screen
from depthmask.cli.usage.parser import parse
from depthmask.engine.repair import repair
from depthmask.errors import DepthmaskError
from depthmask.reading.dataset import no_dataset
from depthmask.storage.location import location
from depthmask.storage.path import StorePath, dataset_word
from depthmask.storage.verify import Problem, verify


def main(arguments: Sequence[str]) -> int:
    """Print a line for each problem; returns 0 if there are none, or none after the repair."""
    options = parse("verify", arguments)
    dataset = location(options["OUT"])
    if not (dataset / "plan.json").is_file():
        raise no_dataset(dataset)
    problems = _report(dataset)
    if problems and options["repair"]:
        problems = _report(dataset, _repair(dataset, problems))
    elif any(problem.shard or problem.stray for problem in problems):
        command = f"python -m depthmask verify {dataset_word(dataset)} --repair"
        lines.say(f"`{command}` makes damaged shards again")
    return DepthmaskError.exit_code if problems else 0


def _repair(output: StorePath, problems: Sequence[Problem]) -> list[str]:
    """Repair the dataset, and remove stray files; returns the result of `repair`."""
    with Screen() as screen:
        not_compared = repair(output, screen)
    # Only after the run, so that a run that is refused changes nothing.
    for problem in problems:
        if problem.stray is not None:
            problem.stray.unlink(missing_ok=True)
    return not_compared


def _report(output: StorePath, not_compared: Sequence[str] = ()) -> list[Problem]:
    """Print the problems, or that there are none; not_compared: see `repair`."""
    with Screen() as screen, screen.waiting(f"checking the files of {output}"):
        problems = verify(output)
    for problem in problems:
        print(problem)
    if not problems and not_compared:
        print(
            f"{output}: complete; {len(not_compared):,} of the shards are new, from "
            f"{not_compared[0]} on: neither their records nor dataset.json were there, so nothing "
            "tells whether their bytes are those of an earlier publication"
        )
    elif not problems:
        print(f"{output}: every shard is as published")
    return problems
