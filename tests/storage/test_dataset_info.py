"""`dataset.json` with types: the same content back, and nothing believed that cannot be."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.errors import DepthmaskError
from depthmask.storage.dataset_info import DatasetInfo, SplitInfo
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed
from depthmask.untrusted import untrusted
from tests.support.infos import dataset_info

PLAUSIBLE = dataset_info(
    fingerprint="f",
    splits={
        "train": SplitInfo(750_000, 3, 1, 1),
        "val": SplitInfo(250_000, 1, 1, 1),
    },
    shards=2,
    statistics={"mask": {"mean": [0.25], "std": [0.5]}},
    licences={"backgrounds": {"MIT": 1}, "foregrounds": {}},
)


def test_the_file_is_read_and_written_without_a_change(dataset: Path) -> None:
    data = require_sealed(location(dataset / "dataset.json"))
    info = DatasetInfo.from_json(data)
    assert json.dumps(info.as_json()) == json.dumps(data)
    assert pickle.loads(pickle.dumps(info)) == info
    opened = depthmask.open(dataset)
    assert opened.metadata == info
    assert opened.info == data


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("info") / "out"
    words = ["source.rooms=2", "source.furniture=3", "size=[24,32]", "runner.workers=1"]
    assert main([*words, "samples=6", "shard_size=4", f"output={out}"]) == 0
    return out


def test_shards_and_licences() -> None:
    assert PLAUSIBLE.shard_counts() == {"train": 1, "val": 1}
    assert list(PLAUSIBLE.shard_names()) == ["train-000000", "val-000000"]
    assert PLAUSIBLE.unlicensed("backgrounds") == 0
    assert PLAUSIBLE.unlicensed("foregrounds") == 1
    assert PLAUSIBLE.most_pixels == 120


def test_keys_that_the_first_datasets_lack() -> None:
    data = PLAUSIBLE.as_json()
    assert DatasetInfo.from_json(data) == PLAUSIBLE
    for key in ("assets", "licences", "counts"):
        del data[key]
    info = DatasetInfo.from_json(data)
    assert (info.assets, info.counts) == ({}, {})
    assert info.licences == {"backgrounds": {}, "foregrounds": {}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema": 1}, "schema 1; this version reads 2"),
        ({"samples": True}, "True is not a count"),
        ({"variants": 0}, "0 where at least 1 is expected"),
        ({"splits": {"other": {}}}, "split 'other'; expected train, val, test"),
        ({"splits": {}}, "the shares of its splits make 0 millionths"),
        ({"shards": 3}, "4 samples in 3 shards of 4"),
        ({"size": [10**6, 10**6]}, "pictures of 1000000x1000000"),
        ({"licences": {"backgrounds": {"MIT": "1"}}}, "'1' is not a count"),
        ({"left_out": [{"file": 1, "reason": ""}]}, "1 is not a text"),
        ({"statistics": {"mask": {"mean": "abc"}}}, "statistics that are not numbers"),
        ({"leakage": {"assets": 0}}, "near_duplicates"),
    ],
)
def test_content_that_no_run_writes(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(DepthmaskError, match=reason), untrusted("dataset.json"):
        DatasetInfo.from_json({**PLAUSIBLE.as_json(), **changes})
