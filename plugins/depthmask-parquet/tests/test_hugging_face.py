"""Hugging Face `datasets` opens the shards of this plugin, and tar files."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import depthmask
import numpy as np
import pytest
from depthmask.cli.main import main

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # `datasets` leaves its open files to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SMALL = ["source.rooms=2", "source.furniture=3", "size=[24,32]", "runner.workers=1"]


@pytest.fixture
def load_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`load_dataset` with a cache of this test, and without a network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    from datasets import load_dataset

    return partial(load_dataset, cache_dir=str(tmp_path / "cache"))


@pytest.fixture
def load(load_dataset: Any) -> Any:
    """The rows of files of a kind."""

    def load(kind: str, files: Path, *, streaming: bool) -> list[dict[str, Any]]:
        data_files = {"train": str(files)}
        return list(load_dataset(kind, data_files=data_files, split="train", streaming=streaming))

    return load


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("depth", ["png16", "npz", "npz16"])
def test_parquet(tmp_path: Path, load: Any, depth: str, streaming: bool) -> None:
    words = [*SMALL, "samples=12", "shard_size=7", "encode.instances=png", f"encode.depth={depth}"]
    assert main([*words, "writer=parquet", f"output={tmp_path}/out"]) == 0
    rows = load("parquet", tmp_path / "out" / "shards" / "*.parquet", streaming=streaming)
    samples = depthmask.open(tmp_path / "out")
    assert len(rows) == len(samples) == 12
    for row, sample in zip(rows, samples, strict=True):
        assert sample.instances is not None
        assert sample.depth is not None
        assert row["key"] == sample.key
        assert np.array_equal(np.asarray(row["image"]), sample.image)
        assert np.array_equal(np.asarray(row["mask"]), sample.mask)
        assert np.array_equal(np.asarray(row["instances"]), sample.instances)
        assert json.loads(row["json"]) == sample.meta
        values = np.asarray(row["depth"], np.float32)
        assert np.allclose(values / 1000 if depth == "png16" else values, sample.depth)
    samples.close()


@pytest.mark.parametrize(
    ("depth", "streaming"), [("png16", False), ("png16", True), ("npz", False), ("npz16", True)]
)
def test_webdataset(tmp_path: Path, load: Any, depth: str, streaming: bool) -> None:
    """Pictures of 16 bits have 16 bits; arrays are rows of numbers."""
    words = [*SMALL, "samples=12", "shard_size=7", "objects=[1,3]", "placement=ground"]
    words += [f"encode.depth={depth}", "labels=[instances]", "writer=webdataset"]
    assert main([*words, f"output={tmp_path}/out"]) == 0
    rows = load("webdataset", tmp_path / "out" / "shards" / "*.tar", streaming=streaming)
    samples = depthmask.open(tmp_path / "out")
    assert len(rows) == len(samples) == 12
    for row, sample in zip(rows, samples, strict=True):
        assert sample.depth is not None
        assert row["__key__"] == sample.key
        assert np.abs(np.asarray(row["jpg"]).astype(int) - sample.image).max() <= 3
        assert np.array_equal(np.asarray(row["mask.png"]), sample.mask)
        assert np.array_equal(np.asarray(row["instances.png"]), sample.labels["instances"])
        if depth == "png16":
            metres = np.asarray(row["depth.png"]) / np.float32(1000)
        else:
            metres = np.asarray(row["depth.npz"]["depth"], np.float32)
        assert np.array_equal(metres, sample.depth)
        assert row["json"]["index"] == sample.meta["index"]
        assert len(row["json"]["layers"]) == len(sample.meta["layers"])
    samples.close()


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("writer", ["parquet", "webdataset"])
def test_a_folder_by_its_card(
    tmp_path: Path, load_dataset: Any, writer: str, streaming: bool
) -> None:
    """`load_dataset(OUT)` needs only the header of the README."""
    words = [*SMALL, "source.rooms=4", "source.furniture=4", "split.train=0.5", "split.val=0.5"]
    out = tmp_path / "out"
    assert main([*words, "samples=12", "shard_size=3", f"writer={writer}", f"output={out}"]) == 0
    loaded = load_dataset(str(out), streaming=streaming)
    samples = depthmask.open(out)
    assert list(loaded) == ["train", "val"]
    for split in loaded:
        masks = [
            np.asarray(row["mask" if writer == "parquet" else "mask.png"]) for row in loaded[split]
        ]
        expected = [sample.mask for sample in samples.split(split)]
        assert np.array_equal(masks, expected)
    samples.close()


@pytest.mark.parametrize("depth", ["png16", "npz", "npz16", "compact"])
def test_rows_by_croissant(tmp_path: Path, depth: str) -> None:
    import mlcroissant

    words = [*SMALL, "samples=5", "shard_size=3", "encode.instances=png", f"encode.depth={depth}"]
    assert main([*words, "writer=parquet", f"output={tmp_path}/out"]) == 0
    rows = list(mlcroissant.Dataset(tmp_path / "out" / "croissant.json").records("train"))
    samples = depthmask.open(tmp_path / "out")
    assert len(rows) == len(samples)
    for row, sample in zip(rows, samples, strict=True):
        assert sample.depth is not None
        assert row["train/key"] == sample.key.encode()
        assert row["train/split"] == b"train"
        assert sample.instances is not None
        assert np.array_equal(row["train/image"], sample.image)
        assert np.array_equal(row["train/mask"], sample.mask)
        assert np.array_equal(row["train/instances"], sample.instances)
        assert json.loads(row["train/json"]) == sample.meta
        if depth == "compact":
            assert np.shape(row["train/depth_planes"]) == (2, *sample.depth.shape)
        else:
            values = np.asarray(row["train/depth"], np.float32)
            assert np.allclose(values / 1000 if depth == "png16" else values, sample.depth)
    samples.close()
