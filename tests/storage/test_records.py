"""Records of shards: read in order, and believed only as far as their files are intact."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Layout, Shard
from depthmask.plan.numbering import Numbering
from depthmask.plan.shares import MILLION
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.publish import Draft
from depthmask.storage.record import Record
from depthmask.storage.records import Records

LINEAGE = "ab"


@dataclass
class Small(Layout):
    """Shards of two samples, in two splits."""

    samples: int = 20
    shard_size: int = 2

    @property
    def numbering(self) -> Numbering:
        return Numbering((("train", MILLION // 2), ("val", MILLION // 2)), 1)


@pytest.fixture(params=["local", "memory"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> StorePath:
    if request.param == "local":
        return location(tmp_path)
    return location(f"memory://records/{os.urandom(8).hex()}")


def make(output: StorePath, shard: Shard) -> Record:
    with Draft(output, shard.name) as draft:
        (draft.folder / f"{shard.name}.tar").write_bytes(shard.name.encode())
        files = draft.publish()
    record = Record(
        shard.name, shard.split, LINEAGE, shard.start, shard.stop, files, {}, {}, {"write": 0.5}
    )
    (output / "records").make_folder()
    Records(output).write(record)
    return record


def test_a_record_is_read_as_it_was_written(output: StorePath) -> None:
    records = Records(output)
    assert records.read("train-000000") is None
    record = make(output, Small().shard(0))
    assert records.path("train-000000") == output / "records" / "train-000000.json"
    assert records.require("train-000000").as_json() == record.as_json()
    assert records.problems(record) == []


def test_the_record_of_another_shard_is_none(output: StorePath) -> None:
    records = Records(output)
    make(output, Small().shard(0))
    records.path("train-000001").write_whole(records.path("train-000000").read_bytes())
    assert records.read("train-000001") is None
    with pytest.raises(DepthmaskError, match=r"record of train-000001 is missing .* --repair`"):
        records.require("train-000001")


@pytest.mark.parametrize("name", ["../train-000000", "a/b", "", "x" * 300])
def test_names_that_lead_elsewhere(output: StorePath, name: str) -> None:
    with pytest.raises(DepthmaskError, match="is not a shard name"):
        Records(output).path(name)


def test_intact_records_come_in_order(output: StorePath) -> None:
    layout, records = Small(), Records(output)
    assert list(records.shards(layout)) == []
    shards = list(layout.shards())
    for shard in reversed(shards):
        make(output, shard)
    for stray in ("train-000099", "train-0", "test-000000", "train-x"):
        records.path(stray).write_whole(b"{}")
    assert list(records.shards(layout)) == shards
    assert [record.shard for record in records.intact(layout, LINEAGE)] == [
        shard.name for shard in shards
    ]


def test_few_records_of_a_layout_of_a_billion_shards(output: StorePath) -> None:
    """Time and memory are those of the records, and not of the layout."""
    layout, records = Small(samples=2 * 10**12, shard_size=1), Records(output)
    shards = [layout.shard(3), layout.shard(10**12 - 1), layout.shard(7, "val")]
    for shard in shards:
        make(output, shard)
    assert list(records.shards(layout)) == shards


def test_what_is_not_intact_is_left_out(output: StorePath) -> None:
    layout, records = Small(), Records(output)
    made = [make(output, shard) for shard in layout.shards()]
    (output / "shards" / "train-000000.tar").unlink()
    (output / "shards" / "train-000001.tar").write_bytes(b"train-000002")
    records.path("train-000002").write_whole(b"damaged")
    records.write(dataclasses.replace(made[3], lineage="cd"))
    records.write(dataclasses.replace(made[4], stop=made[4].stop - 1))
    assert [record.shard for record in records.intact(layout, LINEAGE)] == [
        record.shard for record in made[5:]
    ]
    assert records.problems(made[0]) == ["train-000000.tar is missing"]
    assert records.problems(made[1]) == ["train-000001.tar has different content (sha256 differs)"]


def test_the_folder_is_listed_once_and_each_record_read_once(
    output: StorePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Small()
    for shard in layout.shards():
        make(output, shard)
    read: list[str] = []
    listed: list[str] = []
    read_whole, glob = type(output).read_whole, type(output).glob
    monkeypatch.setattr(
        type(output),
        "read_whole",
        lambda path, most: read.append(path.stem) or read_whole(path, most),  # type: ignore[func-returns-value]
    )
    monkeypatch.setattr(
        type(output),
        "glob",
        lambda path, pattern: listed.append(path.name) or glob(path, pattern),  # type: ignore[func-returns-value]
    )
    assert len(list(Records(output).intact(layout, LINEAGE))) == layout.shard_count()
    assert sorted(read) == sorted(shard.name for shard in layout.shards())
    assert listed == ["records"]
