"""`depthmask verify OUT`: check that every byte of a dataset is as published."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli import lines
from depthmask.cli.moved_assets import assets_and_words
from depthmask.cli.screen import Screen
from depthmask.cli.usage.parser import parse
from depthmask.engine.repair import findings_in, of_unknown_shards, repair
from depthmask.errors import DepthmaskError
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.shell import command, path_word
from depthmask.storage.verify import Findings


def main(arguments: Sequence[str]) -> int:
    """Print a line for each problem; returns 0 if there are none, or none after the repair."""
    assets, words = assets_and_words(arguments)
    options = parse("verify", words)
    dataset = location(options["OUT"])
    findings = _report(dataset)
    if options["repair"] and (findings.problems or findings.left_out):
        with Screen() as screen:
            not_compared = repair(dataset, findings.problems, screen, assets=assets)
        findings = _report(dataset, not_compared)
    elif any(problem.is_repairable for problem in findings.problems):
        repair_command = command("verify", path_word(dataset), "--repair")
        damaged = any(problem.shard or problem.stray for problem in findings.problems)
        lines.say(f"`{repair_command}` makes damaged {'shards' if damaged else 'files'} again")
    return DepthmaskError.exit_code if findings.problems else 0


def _report(output: StorePath, not_compared: Sequence[str] = ()) -> Findings:
    """Print the problems, or that there are none; not_compared: see `repair`."""
    with Screen() as screen:
        findings = findings_in(output, screen)
    for problem in findings.problems:
        lines.show(problem)
    for note in findings.notes:
        lines.say(f"note: {note}")
    if not findings.problems and not_compared:
        lines.show(of_unknown_shards(output, not_compared))
    elif not findings.problems:
        lines.show(f"{output}: every shard is as published")
    return findings
