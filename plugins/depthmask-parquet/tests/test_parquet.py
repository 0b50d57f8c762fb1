"""The conformance suite, and the same samples as with other writers."""

from __future__ import annotations

from pathlib import Path

import depthmask
import numpy as np
import pytest
from depthmask.cli.main import main
from depthmask.testing import WriterSuite

from depthmask_parquet.writer import Parquet

SMALL = ["source.rooms=2", "source.furniture=3", "size=[24,32]", "runner.workers=1"]


class TestParquet(WriterSuite):
    stage_class = Parquet


class TestSmallRowGroups(WriterSuite):
    stage_class = Parquet
    settings = {"row_group": 2}


@pytest.mark.parametrize("depth", ["png16", "npz", "npz16", "compact", "none"])
def test_reads_as_what_webdataset_wrote(tmp_path: Path, depth: str) -> None:
    words = [*SMALL, f"encode.depth={depth}", "encode.instances=png", "samples=7", "shard_size=4"]
    if depth == "none":
        words += ["encode.image=png", "depth=none"]
    assert main([*words, f"output={tmp_path}/tar", "writer=webdataset"]) == 0
    row_group = "writer.row_group=3"
    assert main([*words, f"output={tmp_path}/parquet", "writer=parquet", row_group]) == 0
    tar, parquet = (depthmask.open(tmp_path / name) for name in ("tar", "parquet"))
    for index in (6, 0, 5, 3, 4, 1, 2):
        one, other = tar[index], parquet[index]
        assert (one.key, one.meta) == (other.key, other.meta)
        for name in ("image", "mask", "instances", "depth"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
    parquet.close()
    tar.close()


def test_resumes_extends_and_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SMALL, "writer=parquet", "shard_size=3", f"output={tmp_path}/out"]
    assert main([*words, "samples=4"]) == 0
    assert main([*words, "samples=8"]) == 0
    assert main([*words[:-1], f"output={tmp_path}/whole", "samples=8"]) == 0
    shards = sorted(path.name for path in (tmp_path / "out" / "shards").iterdir())
    assert shards == [f"train-00000{number}.parquet" for number in range(3)]
    for name in shards:
        one, other = (tmp_path / folder / "shards" / name for folder in ("out", "whole"))
        assert one.read_bytes() == other.read_bytes()
    assert main(["verify", f"{tmp_path}/out"]) == 0
    damaged = tmp_path / "out" / "shards" / shards[1]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert main(["verify", f"{tmp_path}/out"]) == 1
    assert shards[1] in capsys.readouterr().out
    with depthmask_error(f"{shards[1]}: does not have the"):
        depthmask.open(tmp_path / "out")[4]


@pytest.mark.parametrize("place", [4, 0.5, -60, -8])
def test_a_damaged_file_is_an_error_of_one_line(tmp_path: Path, place: float) -> None:
    assert main([*SMALL, "writer=parquet", "samples=4", f"output={tmp_path}/out"]) == 0
    shard = tmp_path / "out" / "shards" / "train-000000.parquet"
    broken = bytearray(shard.read_bytes())
    start = int(place * len(broken)) if place == 0.5 else int(place) % len(broken)
    broken[start : start + 40] = b"\xff" * len(broken[start : start + 40])
    shard.write_bytes(broken)
    samples = depthmask.open(tmp_path / "out")
    with depthmask_error("out"):
        list(samples)
    samples.close()


def depthmask_error(text: str) -> pytest.RaisesExc[depthmask.DepthmaskError]:
    return pytest.raises(depthmask.DepthmaskError, match=text)
