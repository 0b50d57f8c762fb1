"""Datasets with splits, from the command line to the reader."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.engine.runner._workers import Worker
from depthmask.storage.verify import verify

WORDS = [
    "split.train=0.6",
    "split.val=0.2",
    "split.test=0.2",
    "source.rooms=6",
    "source.furniture=9",
    "size=[32,40]",
    "shard_size=4",
    "runner.workers=1",
    "encode.labels=coco",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("splits") / "out"
    assert main([*WORDS, "samples=30", f"output={out}"]) == 0
    return out


def test_no_asset_is_used_in_two_splits(made: Path) -> None:
    dataset = depthmask.open(made)
    used: dict[str, set[str]] = {}
    for sample in dataset:
        assets = [sample.meta["background"], *(x["foreground"] for x in sample.meta["layers"])]
        for asset in assets:
            used.setdefault(asset, set()).add(sample.meta["split"])
    assert all(len(splits) == 1 for splits in used.values())
    assert dataset.info["leakage"] == {"assets": 0, "near_duplicates": 0}
    counts = {name: split["samples"] for name, split in dataset.info["splits"].items()}
    assert counts == {"train": 18, "val": 6, "test": 6}


def test_every_sample_is_found_by_its_number_and_by_its_rank(made: Path) -> None:
    dataset = depthmask.open(made)
    assert dataset.splits == ("train", "val", "test")
    assert [sample.index for sample in dataset] == list(range(30))
    ranked = []
    for name in dataset.splits:
        split = dataset.split(name)
        assert {sample.meta["split"] for sample in split} == {name}
        assert split[-1].index == split[len(split) - 1].index
        ranked += [sample.index for sample in split]
    assert sorted(ranked) == list(range(30))
    with pytest.raises(depthmask.UsageError, match="no split 'dev'; it has train, val, test"):
        dataset.split("dev")


def test_statistics_are_those_of_the_split(made: Path) -> None:
    dataset = depthmask.open(made)
    for name in dataset.splits:
        split = dataset.split(name)
        masks = np.stack([sample.mask for sample in split]) / 255
        assert split.stats["mask"]["mean"] == pytest.approx([masks.mean()])
        assert split.stats["mask"]["std"] == pytest.approx([masks.std()])
    assert dataset.split("val").stats != dataset.stats


def test_a_split_without_samples_has_no_labels(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([*WORDS, "samples=1", f"output={out}"]) == 0
    assert [path.name for path in out.glob("coco_*.json")] == ["coco_train.json"]
    assert [len(depthmask.open(out).split(name)) for name in ("train", "val", "test")] == [1, 0, 0]


def test_a_dead_worker_names_the_sample_and_not_its_rank(tmp_path: Path) -> None:
    """It dies before it says anything: what it was given has to do."""
    root = compose_root([*WORDS, "samples=30"])
    job = job_from_config(root)
    shard = job.plan.shard(1, "val")
    worker = Worker(job)
    try:
        worker.give(shard)
        assert worker.sample() in job.plan.indices(shard)
    finally:
        worker.kill()


def test_shards_and_labels_are_named_after_their_split(made: Path) -> None:
    names = sorted(path.name for path in (made / "shards").iterdir())
    assert names == [
        *(f"test-{number:06d}.tar" for number in range(2)),
        *(f"train-{number:06d}.tar" for number in range(5)),
        *(f"val-{number:06d}.tar" for number in range(2)),
    ]
    dataset = depthmask.open(made)
    for name in dataset.splits:
        labels = json.loads((made / f"coco_{name}.json").read_text())
        of_split = [sample.index for sample in dataset.split(name)]
        assert [image["id"] for image in labels["images"]] == of_split
        assert {one["image_id"] for one in labels["annotations"]} <= set(of_split)


def test_extending_gives_the_bytes_of_the_longer_dataset(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grown, whole = tmp_path / "grown", tmp_path / "whole"
    for samples in (11, 30):
        assert main([*WORDS, f"samples={samples}", f"output={grown}"]) == 0
    assert main([*WORDS, "samples=30", f"output={whole}"]) == 0
    manifest = [depthmask.open(path).info["manifest_sha256"] for path in (made, grown, whole)]
    assert len(set(manifest)) == 1
    assert verify(grown) == []
    capsys.readouterr()
    assert main([*WORDS, "samples=30", f"output={grown}"]) == 0
    assert "nothing is left to do" in capsys.readouterr().err


def test_a_missing_shard_of_a_split_is_made_again(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([*WORDS, "samples=30", f"output={out}"]) == 0
    (out / "shards" / "val-000001.tar").unlink()
    (problem,) = verify(out)
    assert str(problem) == "val-000001: val-000001.tar is missing"
    assert main(["verify", str(out), "--repair"]) == 0
    assert (
        depthmask.open(out).info["manifest_sha256"]
        == (depthmask.open(made).info["manifest_sha256"])
    )


def test_a_rendered_sample_is_the_written_one(made: Path, tmp_path: Path) -> None:
    assert main(["render", str(made), "--index", "13", "--into", str(tmp_path)]) == 0
    written = depthmask.open(made).encoded(13)
    for name, data in written.members.items():
        assert (tmp_path / f"000000013.{name}").read_bytes() == data


def test_the_samples_do_not_depend_on_the_size_of_shards(made: Path, tmp_path: Path) -> None:
    words = [word for word in WORDS if not word.startswith("shard_size")]
    assert main([*words, "samples=30", "shard_size=7", f"output={tmp_path / 'out'}"]) == 0
    for one, other in zip(depthmask.open(made), depthmask.open(tmp_path / "out"), strict=True):
        assert one.meta == other.meta
        assert np.array_equal(one.image, other.image)
