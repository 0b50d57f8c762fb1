"""Hugging Face `datasets` opens what was written: this plugin's shards, and the tar files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import depthmask
import numpy as np
import pytest
from depthmask.cli.main import main

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # Its own files are left to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SMALL = ["source.rooms=2", "source.furniture=3", "size=[24,32]", "runner.workers=1"]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`load_dataset` with a cache of this test, and without a network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    from datasets import load_dataset

    def load(kind: str, files: Path, *, streaming: bool) -> list[dict[str, Any]]:
        found = load_dataset(
            kind,
            data_files={"train": str(files)},
            split="train",
            streaming=streaming,
            cache_dir=str(tmp_path / "cache"),
        )
        return list(found)

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


@pytest.mark.parametrize("streaming", [False, True])
def test_webdataset(tmp_path: Path, load: Any, streaming: bool) -> None:
    words = [*SMALL, "samples=12", "shard_size=7", "objects=[1,3]", "placement=ground"]
    assert main([*words, "writer=webdataset", f"output={tmp_path}/out"]) == 0
    rows = load("webdataset", tmp_path / "out" / "shards" / "*.tar", streaming=streaming)
    samples = depthmask.open(tmp_path / "out")
    assert len(rows) == len(samples) == 12
    for row, sample in zip(rows, samples, strict=True):
        assert sample.depth is not None
        assert row["__key__"] == sample.key
        assert np.abs(np.asarray(row["jpg"]).astype(int) - sample.image).max() <= 3
        assert np.array_equal(np.asarray(row["mask.png"]), sample.mask)
        assert np.allclose(np.asarray(row["depth.png"]) / 1000, sample.depth)
        assert row["json"]["index"] == sample.meta["index"]
        assert len(row["json"]["layers"]) == len(sample.meta["layers"])
    samples.close()
