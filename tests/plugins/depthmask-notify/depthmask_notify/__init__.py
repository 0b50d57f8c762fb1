"""A line for each finished dataset in the file that `DEPTHMASK_NOTIFY` names.

`depthmask notified` prints the lines. Each dataset has the statistic `covered`.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from depthmask import Command, Sample, Statistic, StorePath, UsageError, hookimpl
from depthmask import open as open_dataset

VARIABLE = "DEPTHMASK_NOTIFY"


@hookimpl
def depthmask_run_finished(output: StorePath) -> None:
    """Add the line; nothing if the variable is not set."""
    if path := os.environ.get(VARIABLE):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{output}: {len(open_dataset(output))} samples\n")


@hookimpl
def depthmask_commands() -> list[Command]:
    return [Command("notified", "print the datasets that are finished", notified)]


@hookimpl
def depthmask_statistics() -> list[Statistic]:
    return [
        Statistic("covered", "Share of the image that foregrounds cover.", covered, bins=(0, 1, 10))
    ]


def notified(words: list[str]) -> None:
    """Print the last lines; `UsageError` without the variable."""
    parser = argparse.ArgumentParser(prog="depthmask notified")
    parser.add_argument("--last", type=int, default=0, help="how many; 0: all")
    last = parser.parse_args(words).last
    path = os.environ.get(VARIABLE)
    if not path:
        raise UsageError(f"set {VARIABLE} to the path of a file")
    lines = Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []
    print(*lines[-last:], sep="\n")


def covered(sample: Sample) -> float:
    """The mean of the mask, 0..1."""
    return float(sample.mask.mean()) / 255
