"""Small datasets to make batches of."""

from __future__ import annotations

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.reading.dataset import Dataset

SETTINGS = ["source.rooms=2", "source.furniture=2", "size=[16,24]", "samples=10"]


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """10 samples of 16x24 with depth and labels, 5 of them in the split `val`."""
    out = tmp_path_factory.mktemp("adapters") / "out"
    split = ["split.train=0.5", "split.val=0.5", "shard_size=4", "runner.workers=1"]
    split.append("labels=[coco,instances]")
    assert main([f"output={out}", *SETTINGS, *split]) == 0
    return depthmask.open(out)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """10 samples of 16x24 without depth, in zip files."""
    out = tmp_path_factory.mktemp("adapters") / "pairs"
    words = ["+preset=pairs", "writer=zip", "runner.workers=1"]
    assert main([f"output={out}", *SETTINGS, *words]) == 0
    return depthmask.open(out)
