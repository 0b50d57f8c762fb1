"""`depthmask convert OUT writer=npz output=OUT2`: convert a dataset to another file format."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.dataset_command import InputCommand, dataset_command
from depthmask.engine.convert import convert

COMMAND = InputCommand("convert", convert)


def main(arguments: Sequence[str]) -> int:
    """Run the command. Members are copied byte for byte where formats and settings allow it."""
    return dataset_command(COMMAND, arguments)
