"""`depthmask annotate OUT depth=densedepth output=OUT2`: add depth to existing samples."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.dataset_command import InputCommand, dataset_command
from depthmask.engine.annotate import annotate

COMMAND = InputCommand("annotate", annotate)


def main(arguments: Sequence[str]) -> int:
    """Run the command. OUT: a dataset, DepthMaskDataset's files, or photographs, in any places."""
    return dataset_command(COMMAND, arguments)
