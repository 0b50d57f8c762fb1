"""`writer=depthmaskdataset`: the names, tables and batches of the original."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.codec.sample import DepthFormat, Encode, decode
from depthmask.data import Sample
from depthmask.stages.writer.depthmaskdataset import DepthMaskDataset, path_of
from depthmask.storage.location import location
from depthmask.storage.publish import Draft
from depthmask.storage.record import Record, as_byte_ranges

MakeSample = Callable[..., Sample]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rooms x three things x two places x two flips, depth at half size."""
    out = tmp_path_factory.mktemp("made") / "out"
    words = [
        "source.rooms=2", "source.furniture=3", "source.oversample=1", "size=[32,40]",
        "samples=null", "sampling=product", "repeats=2", "shard_size=16", "placement=original",
        "writer=depthmaskdataset", "encode.mask=jpeg", "runner.workers=1", f"output={out}",
    ]  # fmt: skip
    assert main(words) == 0
    return out


def test_names_and_numbers(made: Path) -> None:
    """Background by background, each with every object, numbered from 1 over all shards."""
    names = []
    for shard in ("train-000000", "train-000001"):
        with zipfile.ZipFile(made / "shards" / shard / "data.zip") as file:
            assert file.testzip() is None
            assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_STORED}
            names += file.namelist()
    assert names[:2] == [
        "data/fg_bg/room0000/room0000_item0000_000001.jpg",
        "data/fg_bg_mask/room0000/room0000_item0000_000001.jpg",
    ]
    assert names[-1] == "data/fg_bg_mask/room0001/room0001_item0002_000024.jpg"
    assert len(names) == 48


def test_label_tables(made: Path) -> None:
    """Of each background, and of all: image, mask, x, y, width, height."""
    tables = made / "data" / "labels"
    whole = (tables / "data_label.txt").read_text().splitlines()
    parts = [tables / f"room{number:04d}_label_info.txt" for number in (0, 1)]
    assert sorted(path.name for path in tables.iterdir()) == [
        "data_label.txt", *(path.name for path in parts),
    ]  # fmt: skip
    assert [line for path in parts for line in path.read_text().splitlines()] == whole
    for line, sample in zip(whole, depthmask.open(made), strict=True):
        image, mask, *box = line.split("\t")
        top, left, height, width = sample.meta["layers"][0]["box"]
        assert image.endswith(f"_{sample.index + 1:06d}.jpg")
        assert mask == image.replace("fg_bg", "fg_bg_mask", 1)
        assert list(map(int, box)) == [left, top, width, height]


def test_depth_batches(made: Path) -> None:
    """Tenths of metres, one map after another with a last axis of one channel."""
    dataset = depthmask.open(made)
    with np.load(made / "shards/train-000001/depthmap_output_batch2.npz") as batch:
        output = batch["output"]
    assert (output.dtype, output.shape) == (np.float32, (8, 32, 40, 1))
    for depth, sample in zip(output[..., 0], dataset[16:], strict=True):
        assert sample.depth is not None
        assert np.array_equal(depth, sample.depth / np.float32(10))


def test_depth_comes_back_to_the_last_bit(make_sample: MakeSample, tmp_path: Path) -> None:
    """Float32 divided by ten and multiplied again is another number for one value in eight."""
    rng = np.random.default_rng(0)
    depth_m = rng.uniform(0.001, 65, (40, 50)).astype(np.float32)
    depth_m[0, 0] = 0
    assert not np.array_equal(depth_m / np.float32(10) * np.float32(10), depth_m)
    stage, sample = DepthMaskDataset(), make_sample(0)
    parts = {name: getattr(sample, name) for name in ("key", "image", "mask", "instances", "meta")}
    encoded = Encode(depth=DepthFormat.npz).encode(Sample(**parts, depth=depth_m))
    with Draft(tmp_path, "train-000000") as draft:
        members = stage.write(draft.folder, "train-000000", 1, [encoded])
        files = draft.publish()
    places = {name: as_byte_ranges(of_member) for name, of_member in members.items()}
    record = Record("train-000000", "train", "", 0, 1, files, places, {}, {})
    reader = stage.read(location(tmp_path / "shards"), record)
    found = decode(reader.read(0, sample.key)).depth
    reader.close()
    assert found is not None
    assert np.array_equal(found, depth_m)


def test_no_depth_no_batch(tmp_path: Path) -> None:
    words = ["source.rooms=1", "source.furniture=1", "source.oversample=1", "samples=1"]
    words += ["writer=depthmaskdataset", "depth=none", f"output={tmp_path / 'out'}"]
    assert main([*words, "size=[32,40]", "runner.workers=1"]) == 0
    files = sorted(path.name for path in (tmp_path / "out/shards/train-000000").iterdir())
    assert files == ["data.zip", "samples.jsonl"]
    assert depthmask.open(tmp_path / "out")[0].depth is None


def test_names_of_any_asset() -> None:
    """Keys are file names of users: what an archive may not take is left out."""
    layers = [{"foreground": "../a"}, {"foreground": "b"}]
    meta = {"background": "Küche 1/x", "layers": layers, "index": 9}
    assert path_of(meta, "jpg") == "data/fg_bg/K_che_1_x/K_che_1_x_.._a_000010.jpg"
    assert path_of({**meta, "layers": [], "index": 999999}, "mask.png") == (
        "data/fg_bg_mask/K_che_1_x/K_che_1_x_1000000.png"
    )


def test_samples_of_all_pairs_are_counted(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["samples=null"]) == 2
    assert "samples=null: means all pairs of sampling=product" in capfd.readouterr().err
