"""`depthmask convert OUT writer=npz output=OUT2`: convert a dataset to another file format."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.dataset_command import DECIDING, dataset_command
from depthmask.engine.convert import convert


def main(arguments: Sequence[str]) -> int:
    """Run the command; copies members byte for byte if formats and settings allow it."""
    return dataset_command("convert", arguments, DECIDING, convert)
