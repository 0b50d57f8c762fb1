"""`depthmask verify OUT`: check that every byte of a dataset is as published."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli import lines
from depthmask.cli.moved_assets import assets_and_words
from depthmask.cli.screen import Screen
from depthmask.cli.usage.parser import parse
from depthmask.engine.repair import of_unknown_shards, problems_of, repair
from depthmask.errors import DepthmaskError
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.shell import command, path_word
from depthmask.storage.verify import Problem


def main(arguments: Sequence[str]) -> int:
    """Print a line for each problem; returns 0 if there are none, or none after the repair."""
    assets, words = assets_and_words(arguments)
    options = parse("verify", words)
    dataset = location(options["OUT"])
    problems = _report(dataset)
    if problems and options["repair"]:
        with Screen() as screen:
            not_compared = repair(dataset, problems, screen, assets=assets)
        problems = _report(dataset, not_compared)
    elif any(problem.shard or problem.stray for problem in problems):
        repair_command = command("verify", path_word(dataset), "--repair")
        lines.say(f"`{repair_command}` makes damaged shards again")
    return DepthmaskError.exit_code if problems else 0


def _report(output: StorePath, not_compared: Sequence[str] = ()) -> list[Problem]:
    """Print the problems, or that there are none; not_compared: see `repair`."""
    with Screen() as screen:
        problems = problems_of(output, screen)
    for problem in problems:
        lines.show(problem)
    if not problems and not_compared:
        lines.show(of_unknown_shards(output, not_compared))
    elif not problems:
        lines.show(f"{output}: every shard is as published")
    return problems
