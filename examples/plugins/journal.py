"""Hooks of runs: a line in a file when a dataset is begun, and one when it is complete."""

from __future__ import annotations

from pathlib import Path

import depthmask

JOURNAL = Path("journal.txt")


@depthmask.hookimpl
def depthmask_run_started(root: depthmask.Root, output: depthmask.StorePath) -> None:
    """Note the settings of a run that has something to make."""
    _note(f"begun {output.name}: placement={root.placement.name} samples={root.samples}")


@depthmask.hookimpl
def depthmask_run_finished(output: depthmask.StorePath) -> None:
    """Note that the dataset is complete; called again if this fails."""
    _note(f"complete {output.name}: {len(depthmask.open(output))} samples")


def _note(line: str) -> None:
    with JOURNAL.open("a") as file:
        file.write(line + "\n")
