"""`depthmask convert OUT writer=npz output=OUT2`: the samples of a dataset by another writer."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.dataset_command import DECIDING, dataset_command
from depthmask.engine.convert import convert


def main(arguments: Sequence[str]) -> int:
    """Members are moved byte for byte where the formats allow it, and no setting says otherwise."""
    return dataset_command("convert", arguments, DECIDING, convert)
