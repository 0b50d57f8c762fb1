"""`depthmask convert OUT writer=npz output=OUT2`: the samples of a dataset by another writer."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.run import single
from depthmask.cli.screen import Screen
from depthmask.cli.summary import show_result
from depthmask.cli.words import DECIDING, names, split_words
from depthmask.config.root import Root
from depthmask.jobs.convert import convert
from depthmask.jobs.find import origin
from depthmask.run import carry_out


def main(arguments: Sequence[str]) -> int:
    """Members are moved byte for byte where the formats allow it, and no setting says otherwise."""
    paths, words = split_words("convert", arguments, DECIDING)

    def task(root: Root, screen: Screen, overrides: Sequence[str]) -> None:
        there = origin(paths)
        job, wanted = convert(there, root, names(overrides))
        show_result(carry_out(job, wanted, there.checked, screen), screen)

    return single(task, words)
