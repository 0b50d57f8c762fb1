"""`depthmask annotate OUT depth=densedepth output=OUT2`: add depth to existing samples."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.dataset_command import dataset_command


def main(arguments: Sequence[str]) -> int:
    """Run the command. OUT: a dataset, DepthMaskDataset's files, or photographs, in any places."""
    return dataset_command("annotate", arguments)
