"""`mlcroissant` finds nothing wrong with `croissant.json`, and reads the samples by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask import Encoded, Members, stage
from depthmask.reports.card import cards
from depthmask.reports.card.facts import CardFacts
from depthmask.stages.writer.base import ShardKind
from depthmask.stages.writer.webdataset import WebDataset

# It uses what its dependencies will drop, and leaves files to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Any]:
    """A dataset by its Croissant file; it must have no errors."""
    import mlcroissant
    from mlcroissant._src.operation_graph.operations import extract

    # Its cache knows archives by their relative names alone.
    monkeypatch.setattr(extract, "EXTRACT_PATH", extract.epath.Path(tmp_path / "croissant"))
    return lambda out: mlcroissant.Dataset(out / "croissant.json")


def by_key(dataset: Any, record_set: str) -> dict[str, dict[str, Any]]:
    """The records of a set: field -> value, by the key of the sample."""
    found = {}
    for record in dataset.records(record_set):
        fields = {name.removeprefix(f"{record_set}/"): value for name, value in record.items()}
        found[fields["key"].decode()] = fields
    return found


@pytest.mark.parametrize("writer", ["webdataset", "zip"])
def test_archives(make_dataset: Callable[..., Path], load: Any, writer: str) -> None:
    out = make_dataset(f"writer={writer}", "encode.instances=png", "encode.image=png")
    dataset, samples = load(out), depthmask.open(out)
    records = {
        name: by_key(dataset, f"train/{name}")
        for name in ("image", "mask", "instances", "depth", "json")
    }
    assert all(sorted(one) == [sample.key for sample in samples] for one in records.values())
    for sample in samples:
        assert sample.depth is not None
        assert sample.instances is not None
        image = records["image"][sample.key]
        assert image["split"] == b"train"
        assert isinstance(image["image"], Image.Image)
        assert np.array_equal(np.asarray(image["image"]), sample.image)
        assert np.array_equal(records["mask"][sample.key]["mask"], sample.mask)
        assert np.array_equal(records["instances"][sample.key]["instances"], sample.instances)
        depth = np.asarray(records["depth"][sample.key]["depth"])
        assert np.array_equal(depth, np.rint(sample.depth * 1000))
        assert json.loads(records["json"][sample.key]["json"]) == sample.meta
    samples.close()


def test_files_in_folders(make_dataset: Callable[..., Path], load: Any) -> None:
    out = make_dataset("writer=folder", "encode.image=png")
    dataset, samples = load(out), depthmask.open(out)
    images, labels = by_key(dataset, "train/image"), by_key(dataset, "train/json")
    assert len(images) == len(labels) == len(samples)
    for sample in samples:
        assert np.array_equal(images[sample.key]["image"], sample.image)
        assert labels[sample.key]["background"].decode() == sample.meta["background"]
        assert labels[sample.key]["index"] == sample.index
    # It would make 8 bits of 16: https://github.com/mlcommons/croissant, operations/read.py.
    sets = [one.uuid for one in dataset.metadata.record_sets]
    assert sets == ["train/image", "train/mask", "train/json"]
    assert "16 bits have no record set" in dataset.metadata.description
    samples.close()


def test_files_without_record_sets_have_hashes(
    make_dataset: Callable[..., Path], load: Any
) -> None:
    dataset = load(make_dataset("writer=npz"))
    assert not dataset.metadata.record_sets
    assert "cannot describe the layout" in dataset.metadata.description
    assert [one.name for one in dataset.metadata.file_objects] == [
        f"train-{number:06d}.npz" for number in range(3)
    ]


@stage("sqlish")
class Sqlish(WebDataset):
    """A table that is no Parquet, as far as the card knows."""

    shard_kind = ShardKind.table

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        members = super().write(folder, shard, count, samples)
        (folder / f"{shard}.tar").rename(folder / f"{shard}.sqlite")
        return members


@pytest.mark.usefixtures("stages_of_tests")
def test_of_tables_that_are_no_parquet_only_files_are_listed(
    make_dataset: Callable[..., Path], load: Any
) -> None:
    out = make_dataset("writer=sqlish")
    dataset, card = load(out), (out / "README.md").read_text()
    assert not dataset.metadata.record_sets
    assert "cannot describe the layout" in dataset.metadata.description
    assert [one.name for one in dataset.metadata.file_objects] == [
        f"train-{number:06d}.sqlite" for number in range(3)
    ]
    for claim in ("mlcroissant", "load_dataset", "configs:", "Parquet"):
        assert claim not in card
    assert "depthmask.open(" in card


@pytest.mark.parametrize(
    ("kind", "suffix", "expected"),
    [
        (ShardKind.parquet, "parquet", True),
        # As packages declared it before Parquet had a kind of its own.
        (ShardKind.table, "parquet", True),
        (ShardKind.table, "sqlite", False),
        (ShardKind.other, "parquet", False),
    ],
)
def test_only_parquet_has_columns(
    make_dataset: Callable[..., Path], kind: ShardKind, suffix: str, expected: bool
) -> None:
    out = make_dataset()
    samples = depthmask.open(out)
    plan = json.loads((out / "plan.json").read_text())
    facts = CardFacts("x", samples.metadata, plan, kind, samples.encoded(0), suffix, None)
    card = json.loads(cards(facts)["croissant.json"])
    assert [one["@id"] for one in card["recordSet"]] == ["train"] * expected
    assert ("cannot describe the layout" in card["description"]) == (not expected)
    assert "archives" not in card["description"]
    samples.close()


def test_each_split_has_its_own_sets(make_dataset: Callable[..., Path], load: Any) -> None:
    words = ["source.rooms=4", "source.furniture=4", "split.train=0.5", "split.test=0.5"]
    out = make_dataset(*words)
    dataset, samples = load(out), depthmask.open(out)
    for split in ("train", "test"):
        records = by_key(dataset, f"{split}/mask")
        assert sorted(records) == [sample.key for sample in samples.split(split)]
        assert {record["split"] for record in records.values()} == {split.encode()}


def test_a_damaged_shard_is_noticed(make_dataset: Callable[..., Path], load: Any) -> None:
    out = make_dataset()
    shard = out / "shards" / "train-000001.tar"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(Exception, match="during the operation") as error:
        list(load(out).records("train/image"))
    assert "train-000001.tar is not identical" in str(error.value.__cause__)


def test_very_many_shards_are_a_set_of_files(
    make_dataset: Callable[..., Path], load: Any, tmp_path: Path
) -> None:
    out = make_dataset()
    samples = depthmask.open(out)
    plan = json.loads((out / "plan.json").read_text())
    facts = CardFacts(
        "many", samples.metadata, plan, ShardKind.archive, samples.encoded(0), "tar", None
    )
    text = cards(facts)["croissant.json"]
    assert len(text) < 10_000
    (tmp_path / "croissant.json").write_text(text)
    dataset = load(tmp_path)
    assert [one.includes for one in dataset.metadata.file_sets] == [["shards/train-*.tar"]]
    assert "too many" in dataset.metadata.description
    assert not dataset.metadata.record_sets
    samples.close()


def test_names_of_members_beyond_a_billion_samples(make_dataset: Callable[..., Path]) -> None:
    samples = depthmask.open(make_dataset())
    info = replace(samples.metadata, samples=10**10 + 1)
    facts = CardFacts("many", info, {}, ShardKind.archive, samples.encoded(0), "tar", ())
    assert facts.names("png") == [f"{'?' * digits}.png" for digits in (9, 10, 11)]
    samples.close()
