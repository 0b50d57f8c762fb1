"""The `repr` of datasets, and the numbers of samples in their splits."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.reading.splits import Splits

WORDS = (
    *("source.rooms=2", "source.furniture=4", "source.oversample=1", "size=[16,24]", "samples=10"),
    *("split.train=0.8", "split.test=0.2", "runner.workers=1", "labels=[instances]"),
)
SPLITS = {"train": 8, "test": 2}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("written") / "out"
    assert main([*WORDS, f"output={out}"]) == 0
    return out


def test_a_dataset(written: Path) -> None:
    dataset = depthmask.open(written)
    content = "image, mask, instances, depth in m"
    assert repr(dataset) == (
        f"Dataset('{written}', 10 samples of 16x24 (train 8, test 2): {content})"
    )
    assert (
        repr(dataset.split("test")) == f"Dataset('{written}', 2 samples of 16x24 (test): {content})"
    )
    assert repr(dataset[:3]) == f"Slice({dataset!r}, range(0, 3))"
    assert len(repr(dataset[0])) < 300
    assert all(len(repr(record)) < 1500 for record in dataset.records())


def test_a_virtual_dataset() -> None:
    virtual = depthmask.virtual(WORDS)
    assert repr(virtual) == (
        "Virtual(10 samples of 16x24 (train 8, test 2): image, mask, instances, depth in m)"
    )
    assert len(repr(virtual.job)) < 200
    plain = depthmask.virtual([*WORDS, "depth=none", "labels=[]"])
    assert repr(plain).endswith(": image, mask)")


def test_splits_have_numbers_of_samples(written: Path) -> None:
    for samples in (depthmask.open(written), depthmask.virtual(WORDS)):
        splits: Splits = samples.splits
        assert {name: splits[name] for name in splits} == SPLITS
        assert {name: len(samples.split(name)) for name in splits} == SPLITS
        assert dict(splits) == SPLITS == dict(splits.items())


def test_splits_are_still_a_tuple_of_names() -> None:
    splits = Splits(SPLITS)
    assert Splits(SPLITS) == ("train", "test")
    assert (splits[0], splits[-1], splits[:1]) == ("train", "test", ("train",))
    assert (list(splits), len(splits), "test" in splits) == (["train", "test"], 2, True)
    assert ", ".join(splits) == "train, test"
    assert repr(splits) == "{'train': 8, 'test': 2}"
    copied = pickle.loads(pickle.dumps(splits))
    assert (copied, copied["test"]) == (splits, 2)
    with pytest.raises(KeyError):
        splits["nosuch"]
