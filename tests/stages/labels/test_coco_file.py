"""COCO files of several splits and writers: ids of categories, and names of files."""

from __future__ import annotations

import json
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import orjson
import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.stages.source._inspection import Inspection
from depthmask.stages.source.assets import Assets

LABELS = ("table", "chair", "lamp", "sofa", "box", "desk", "bed", "pot")
IDS = {name: number for number, name in enumerate(sorted(LABELS), 1)}
WORDS = (
    "source=assets", "geometry=none", "depth=none", "labels=[coco]", "split.train=0.5",
    "split.val=0.25", "split.test=0.25", "size=[24,32]", "shard_size=2", "runner.workers=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Backgrounds, and a cut-out of each label."""
    root = tmp_path_factory.mktemp("assets")
    rng = np.random.default_rng(3)
    for folder, channels in (("bg", 3), ("fg", 4)):
        (root / folder).mkdir()
        for number in range(len(LABELS)):
            coarse = rng.integers(0, 256, (6, 8, channels), dtype=np.uint8)
            coarse[..., 3:] = 255
            coarse[0, 0, 3:] = 0
            picture = np.kron(coarse, np.ones((4, 4, 1), np.uint8))
            Image.fromarray(picture).save(root / folder / f"{folder}{number}.png")
    rows = [f"fg{number},{label}\n" for number, label in enumerate(LABELS)]
    (root / "assets.csv").write_text("key,label\n" + "".join(rows))
    return root


def make(root: Path, out: Path, *words: str) -> Path:
    assert main([*WORDS, f"source.root={root}", f"output={out}", *words]) == 0
    return out


def convert(made: Path, out: Path, *words: str) -> None:
    assert main(["convert", str(made), "runner.workers=1", f"output={out}", *words]) == 0


@pytest.fixture(scope="module")
def made(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(assets, tmp_path_factory.mktemp("coco") / "made", "samples=9")


@contextmanager
def labels_are_not_known() -> Iterator[None]:
    """The source tells its labels neither in the catalogue nor by its method, as any may."""
    with (
        patch.object(Inspection, "_labels", lambda self: ()),
        patch.object(Assets, "foreground_labels", lambda self: ()),
    ):
        yield


def coco_files(out: Path) -> dict[str, Any]:
    files = {path.stem[5:]: json.loads(path.read_bytes()) for path in out.glob("coco_*.json")}
    assert files.keys() == {"train", "val", "test"}
    return files


def require_ids(out: Path) -> dict[str, int]:
    """The ids of the categories, the same in all splits; annotations say what the samples say."""
    files, dataset = coco_files(out), depthmask.open(out)
    ids: dict[str, int] = {one["name"]: one["id"] for one in files["train"]["categories"]}
    shown: set[str] = set()
    for split, coco in files.items():
        assert {one["name"]: one["id"] for one in coco["categories"]} == ids
        labels = {
            (sample.index, layer["label"])
            for sample in dataset.split(split)
            for layer in sample.meta["layers"]
            if layer["area"]
        }
        names = {number: name for name, number in ids.items()}
        annotated = [(one["image_id"], names[one["category_id"]]) for one in coco["annotations"]]
        assert sorted(annotated) == sorted(labels)
        shown |= {label for _, label in labels}
    assert len(shown) > 3
    return ids


def test_a_category_has_one_id_in_all_splits(made: Path) -> None:
    # Also those that no sample shows.
    assert require_ids(made) == IDS
    assert depthmask.open(made).foreground_labels == tuple(sorted(LABELS))


def test_ids_stay_when_the_dataset_is_extended(
    assets: Path, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(made, tmp_path / "out")
    make(assets, out, "samples=14")
    assert require_ids(out) == IDS
    assert "other ids" not in capsys.readouterr().err


def test_labels_of_cut_outs_that_are_left_out_are_not_numbered(
    assets: Path, tmp_path: Path
) -> None:
    """The file may be removed before the dataset is extended, which must not change any id."""
    root = shutil.copytree(assets, tmp_path / "assets")
    broken = root / "fg" / "bad.png"
    broken.write_bytes(b"no picture")
    with (root / "assets.csv").open("a") as table:
        table.write("bad,apple\n")
    out = make(root, tmp_path / "out", "source.on_bad_asset=skip", "samples=9")
    assert require_ids(out) == IDS
    broken.unlink()
    make(root, out, "source.on_bad_asset=skip", "samples=10")
    assert require_ids(out) == IDS


def test_labels_that_the_source_does_not_tell(assets: Path, tmp_path: Path) -> None:
    """They are numbered as they appear; a longer dataset, and a copy, have the same numbers."""
    out, copy = tmp_path / "out", tmp_path / "copy"
    with labels_are_not_known():
        shorter = require_ids(make(assets, out, "samples=7"))
        longer = require_ids(make(assets, out, "samples=16"))
    metas = [sample.meta for sample in depthmask.open(out)]
    in_order = [layer["label"] for meta in metas for layer in meta["layers"]]
    assert list(longer) == list(dict.fromkeys(in_order))
    assert list(longer.values()) == list(range(1, len(longer) + 1))
    assert list(longer.items())[: len(shorter)] == list(shorter.items())
    assert len(shorter) < len(longer)
    assert depthmask.open(out).foreground_labels == ()
    convert(out, copy, "writer=zip")
    assert require_ids(copy) == longer


def test_a_dataset_of_an_earlier_version(
    assets: Path, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its files numbered each split alone; they are written anew, and the run says so."""
    out = shutil.copytree(made, tmp_path / "out")
    coco = coco_files(out)["val"]
    coco["categories"] = [{"id": 1, "name": "table"}, {"id": 2, "name": 'a "],"categories":'}]
    (out / "coco_val.json").write_bytes(orjson.dumps(coco) + b"\n")
    (out / "coco_test.json").write_bytes(b"not ours")
    make(assets, out, "samples=10")
    assert require_ids(out) == IDS
    said = [line for line in capsys.readouterr().err.splitlines() if "other ids" in line]
    assert len(said) == 1
    assert "coco_val.json: 2 of 2 categories have other ids than before" in said[0]


@pytest.mark.parametrize("writer", ["folder", "zip", "webdataset", "depthmaskdataset", "npz"])
def test_file_names_lead_to_the_images(made: Path, tmp_path: Path, writer: str) -> None:
    out = tmp_path / "out"
    convert(made, out, f"writer={writer}")
    assert require_ids(out) == IDS
    dataset = depthmask.open(out)
    contents = files_of(out / "shards", writer)
    for coco in coco_files(out).values():
        for image in coco["images"]:
            jpg = dataset.encoded(image["id"]).members["jpg"]
            if writer == "npz":
                assert image["file_name"] == f"{image['id']:09d}.jpg"
            else:
                assert contents[image["file_name"]] == jpg


def files_of(shards: Path, writer: str) -> dict[str, bytes]:
    """What other programs find: the files in a folder, or those of all archives together."""
    if writer == "folder":
        paths = [path for path in shards.rglob("*") if path.is_file()]
        return {path.relative_to(shards).as_posix(): path.read_bytes() for path in paths}
    contents: dict[str, bytes] = {}
    for path in shards.rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            contents |= {name: archive.read(name) for name in archive.namelist()}
    for path in shards.glob("*.tar"):
        with tarfile.open(path) as tar:
            members = ((member.name, tar.extractfile(member)) for member in tar)
            contents |= {name: file.read() for name, file in members if file is not None}
    return contents
