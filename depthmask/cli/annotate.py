"""`depthmask annotate OUT depth=densedepth output=OUT2`: add depth to an existing dataset."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.dataset_command import DECIDING, dataset_command
from depthmask.engine.annotate import annotate


def main(arguments: Sequence[str]) -> int:
    """Run the command. OUT: a dataset, a zip or tar laid out like DepthMaskDataset, or pictures."""
    return dataset_command("annotate", arguments, (*DECIDING, "depth", "geometry"), annotate)
