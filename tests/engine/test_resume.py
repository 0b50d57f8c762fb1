"""Resuming a dataset of many shards reads each record once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.tiny import make_assets

SHARDS = 2000
COUNTING = """
import json, os, sys
from collections import Counter

opened = Counter()

def count(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        folder, name = os.path.split(arguments[0])
        is_read = arguments[2] & os.O_ACCMODE == os.O_RDONLY
        if os.path.basename(folder) == "records" and is_read:
            opened[name] += 1

sys.addaudithook(count)
# Durability does not matter here, and 6,000 syncs take half a minute.
os.fsync = lambda handle: None
from depthmask.cli.main import main

code = main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    json.dump(opened, file)
sys.exit(code)
"""
"""The program of a separate process: a run that counts how often it opens each record."""


def reads(folder: Path) -> Counter[str]:
    """Run the command; return how often it opened each record for reading."""
    words = (
        "source=assets", "source.root=assets", "geometry=none", "depth=none", "size=[8,8]",
        f"samples={SHARDS}", "shard_size=1", "output=out", "runner.workers=1",
    )  # fmt: skip
    counts = folder / "counts.json"
    command = [sys.executable, "-c", COUNTING, str(counts), *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return Counter(json.loads(counts.read_text()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of many shards."""
    folder = tmp_path_factory.mktemp("resume")
    make_assets(folder / "assets")
    reads(folder)
    return folder


def test_a_complete_dataset_reads_each_record_once(folder: Path) -> None:
    assert reads(folder) == {f"train-{number:06d}.json": 1 for number in range(SHARDS)}


def test_an_incomplete_dataset_reads_few_records_twice(folder: Path) -> None:
    (folder / "out" / "dataset.json").unlink()
    (folder / "out" / "records" / "train-000007.json").unlink()
    counts = reads(folder)
    # The record of the shard that is made again needs no reading.
    assert counts.pop("train-000007.json", 0) == 0
    assert len(counts) == SHARDS - 1
    # The samples that are compared are read by their records.
    assert set(counts.values()) <= {1, 2}
