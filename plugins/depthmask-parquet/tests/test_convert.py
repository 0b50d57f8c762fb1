"""`convert` to Parquet, through other formats, and back."""

from __future__ import annotations

from pathlib import Path

import depthmask
import pytest
from depthmask.cli.main import main

ROOMS = ["source.rooms=2", "source.furniture=3", "size=[24,32]", "samples=7", "shard_size=4"]


@pytest.mark.parametrize("depth", ["png16", "npz", "npz16", "compact"])
def test_round_all_formats_and_back(tmp_path: Path, depth: str) -> None:
    """Masks, maps and descriptions are equal, and the tar files have the same bytes as at first."""
    words = [f"encode.depth={depth}", "encode.instances=png", f"output={tmp_path / 'first'}"]
    assert main([*ROOMS, *words, "runner.workers=1"]) == 0
    latest = tmp_path / "first"
    for writer in ("zip", "npz", "folder", "parquet", "webdataset"):
        words = [f"writer={writer}", f"output={tmp_path / writer}", "runner.workers=1"]
        assert main(["convert", str(latest), *words]) == 0
        latest = tmp_path / writer
    first, last = depthmask.open(tmp_path / "first"), depthmask.open(latest)
    for index in range(7):
        assert last.encoded(index).members == first.encoded(index).members
    for path in (tmp_path / "first" / "shards").iterdir():
        assert (latest / "shards" / path.name).read_bytes() == path.read_bytes()
    assert last.stats == first.stats
