"""A command: `python -m depthmask upload OUT`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import depthmask


def upload(words: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="depthmask upload")
    parser.add_argument("dataset")
    dataset = depthmask.open(parser.parse_args(words).dataset)
    print(f"{len(dataset)} samples to upload")
    return 0


@depthmask.hookimpl
def depthmask_commands() -> list[depthmask.Command]:
    """The commands of this package."""
    return [depthmask.Command("upload", "upload a dataset to the shelf", upload)]
