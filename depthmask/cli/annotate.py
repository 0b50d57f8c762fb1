"""`depthmask annotate OUT depth=densedepth output=OUT2`: depth for samples that are there."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.dataset_command import DECIDING, dataset_command
from depthmask.engine.annotate import annotate


def main(arguments: Sequence[str]) -> int:
    """OUT: a dataset, a zip or tar laid out as DepthMaskDataset's, or a folder of pictures."""
    return dataset_command("annotate", arguments, (*DECIDING, "depth", "geometry"), annotate)
