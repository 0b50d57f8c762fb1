"""`depthmask convert OUT writer=npz output=OUT2`: convert a dataset to another file format."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.dataset_command import dataset_command


def main(arguments: Sequence[str]) -> int:
    """Run the command. Members are copied byte for byte where formats and settings allow it."""
    return dataset_command("convert", arguments)
