"""`tune` measures, prints a table, and names the best."""

from __future__ import annotations

import re

import pytest

from depthmask.cli.main import main


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "depth=fastdepth", "batches=1,2", "size=[32,32]"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["batch", "images/s", "peak", "MB"]
    rates = {}
    for line in lines[1:3]:
        batch, rate, peak = line.replace(",", "").split()
        rates[batch] = float(rate)
        assert 100 < float(peak) < 24_000
    best = max(rates, key=rates.__getitem__)
    assert re.match(rf"best: depth.batch={best}, ", lines[3])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["depth=layered", "batches=1"], "depth=layered has no batch size to tune"),
        (["source=assets", "source.root=NOWHERE"], "source.root=NOWHERE: no such folder"),
        (["depth=fastdepth", "batches=1,x"], "batches=1,x: must be whole numbers"),
        (["depth=fastdepth", "batches=1,", "2"], "batches=1,: must be whole numbers separated by"),
        (["depth=fastdepth", "batches=1,0"], "depth.batch=0: must be at least 1"),
    ],
)
def test_bad_usage(capsys: pytest.CaptureFixture[str], words: list[str], line: str) -> None:
    assert main(["tune", *words]) == 2
    printed = capsys.readouterr()
    assert line in printed.err
    assert printed.out == ""
