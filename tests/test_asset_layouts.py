"""Datasets of nested folders and several roots: writers, splits, stores, and what goes on."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.errors import UsageError
from depthmask.stages.source._joined import roots_of
from depthmask.stages.source.assets import Assets
from depthmask.storage.dataset_info import Leakage
from tests.support import tiny
from tests.support.s3_server import Server

SIZE = (32, 32)


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return tiny.make_assets(tmp_path / "assets")


@pytest.fixture
def nested(flat: Path) -> Path:
    """Backgrounds and cut-outs by class, with depth in the same sub-folders."""
    for folder in ("bg", "bg_depth", "fg"):
        for number, path in enumerate(sorted((flat / folder).iterdir())):
            target = flat / folder / f"a {number % 2}" / "x.y"
            target.mkdir(parents=True, exist_ok=True)
            path.rename(target / path.name)
    return flat


def run(root: object, out: Path, *more: str) -> int:
    return main(tiny.words(root, out, "samples=6", "runner.workers=2", *more))  # type: ignore[arg-type]


def metas(out: Path) -> list[dict[str, Any]]:
    return [sample.meta for sample in depthmask.open(out)]


@pytest.mark.parametrize("writer", tiny.WRITERS)
def test_every_writer_carries_keys_with_folders(nested: Path, tmp_path: Path, writer: str) -> None:
    out = tmp_path / "out"
    more = ["encode.labels=coco", "encode.instances=png", "shard_size=4"]
    assert run(nested, out, f"writer={writer}", *more) == 0
    assert main(["verify", str(out)]) == 0
    for meta in metas(out):
        assert str(meta["background"]).startswith("a ")
        (layer,) = meta["layers"]
        assert layer["foreground"].split("/")[1] == layer["label"] == "x.y"
    files = [path.relative_to(out).as_posix() for path in out.rglob("*")]
    assert not any("wall0" in name and writer != "depthmaskdataset" for name in files)
    assert main(["render", str(out), "--index", "3", "--into", str(tmp_path / "one")]) == 0
    assert main(["report", str(out)]) == 0
    assert "x.y" in (out / "report.html").read_text()


def test_a_flat_folder_and_the_same_in_sub_folders_give_the_same_pixels(
    flat: Path, tmp_path: Path
) -> None:
    """Below one sub-folder, keys sort as without it; labels alone differ."""
    assert run(flat, tmp_path / "flat") == 0
    deep = tmp_path / "deep"
    for folder in ("bg", "bg_depth", "fg"):
        shutil.copytree(flat / folder, deep / folder / "all")
    assert run(deep, tmp_path / "nested") == 0
    for one, other in zip(
        depthmask.open(tmp_path / "flat"), depthmask.open(tmp_path / "nested"), strict=True
    ):
        assert np.array_equal(one.image, other.image)
        assert one.depth is not None
        assert other.depth is not None
        assert np.array_equal(one.depth, other.depth)
        assert other.meta["background"] == f"all/{one.meta['background']}"


def test_a_dataset_made_before_goes_on_without_its_sub_folders(
    flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(flat, out) == 0
    fingerprint = json.loads((out / "plan.json").read_text())["fingerprint"]
    shutil.copytree(flat / "fg", flat / "fg" / "old")
    assert run(flat, out, "samples=9") == 2
    assert "assets: 4 new (fg/old/box0.png, fg/old/box1.png" in capsys.readouterr().err
    assert run(flat, out, "samples=9", "source.subfolders=false") == 0
    # From then on, its plan has the setting.
    assert main(["extend", str(out), "samples=12"]) == 0
    assert len(depthmask.open(out)) == 12
    shutil.rmtree(flat / "fg" / "old")
    assert run(flat, tmp_path / "again") == 0
    again = json.loads((tmp_path / "again" / "plan.json").read_text())["fingerprint"]
    assert again == fingerprint


def test_a_pattern_is_another_dataset_and_its_name_tells(
    flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(flat, out) == 0
    assert run(flat, out, "source.label_pattern=LABELNUMBER") == 2
    assert "assets: 4 new (fg/box0.png: label, fg/box1.png: label" in capsys.readouterr().err
    assert run(flat, tmp_path / "by_name", "source.label_pattern=LABELNUMBER") == 0
    assert depthmask.open(tmp_path / "by_name").foreground_labels == ("box",)


@pytest.mark.parametrize("pattern", ["", "NUMBER", "LABEL_LABEL", "LABEL****", "LABEL" + "x" * 100])
def test_patterns_that_say_no_label(flat: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match=r"label_pattern=.*: must have LABEL once, and at most 4"):
        Assets(root=str(flat), label_pattern=pattern)


def test_prepared_assets_of_nested_folders(nested: Path, tmp_path: Path) -> None:
    out = tmp_path / "prepared"
    assert main(["prepare", f"source.root={nested}", "size=[32,32]", f"output={out}"]) == 0
    before, after = Assets(root=str(nested)), Assets(root=str(out), foreground_scale=None)
    assert after.check(SIZE).foregrounds == before.check(SIZE).foregrounds
    for key in before.foregrounds():
        one, other = before.foreground(key, SIZE), after.foreground(key, SIZE)
        assert (one.label, other.label) == ("x.y", "x.y")
        assert np.array_equal(one.rgba, other.rgba)


def test_bad_files_of_sub_folders_are_kept_by_their_paths(nested: Path, tmp_path: Path) -> None:
    for folder in ("b", "c"):
        (nested / "bg" / folder).mkdir()
        (nested / "bg" / folder / "x.png").write_bytes(folder.encode())
    out = tmp_path / "out"
    assert run(nested, out, "source.on_bad_asset=quarantine") == 0
    kept = out / "quarantine" / "bg"
    assert (kept / "b" / "x.png").read_bytes() == b"b"
    assert (kept / "c" / "x.png").read_bytes() == b"c"


def test_workers_know_the_rows_of_the_check(flat: Path) -> None:
    """A row by a file name is that of its picture, also where another picture has that key."""
    box = flat / "fg" / "box0.png"
    box.rename(flat / "fg" / "box0.jpg.png")
    shutil.copy(flat / "fg" / "box1.png", flat / "fg" / "box0.jpg")
    Image.open(flat / "fg" / "box1.png").save(flat / "fg" / "box0.webp", lossless=True)
    (flat / "fg" / "box0.jpg").unlink()
    (flat / "assets.csv").write_text("key,label\nbox0.webp,a\nbox0.jpg,b\nfg/box2.png,c\n")
    source = Assets(root=str(flat))
    source.check(SIZE)
    worker = pickle.loads(pickle.dumps(source))
    for one in (source, worker):
        labels = {key: one.foreground(key, SIZE).label for key in source.foregrounds()}
        assert labels == {
            "box0": "a", "box0.jpg": "b", "box1": "foreground", "box2": "c", "box3": "foreground"
        }  # fmt: skip


# Splits

SPLIT = "key,split\nbg/wall0,val\nwall1,train\nfg/box0.png,val\nbox1,val\nbox2,train\nbox3,train\n"


def split_run(root: Path, out: Path, *more: str) -> int:
    return run(root, out, "split.train=0.5", "split.val=0.5", "split.alike=0", *more)


def test_a_table_gives_the_splits(flat: Path, tmp_path: Path) -> None:
    (flat / "assets.csv").write_text(SPLIT)
    out = tmp_path / "out"
    assert split_run(flat, out, "samples=40") == 0
    dataset = depthmask.open(out)
    used = {
        split: {
            key
            for sample in dataset.split(split)
            for key in (sample.meta["background"], sample.meta["layers"][0]["foreground"])
        }
        for split in ("train", "val")
    }
    assert {"wall1", "box2", "box3"} <= used["train"] <= {"wall1", "wall2", "box2", "box3"}
    assert {"wall0", "box0", "box1"} <= used["val"] <= {"wall0", "wall2", "box0", "box1"}
    assert dataset.metadata.leakage == Leakage(assets=0, near_duplicates=0)


def test_a_run_of_one_split_uses_none_of_another(
    flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (flat / "assets.csv").write_text(SPLIT)
    assert run(flat, tmp_path / "out", "samples=30") == 0
    assert (
        "split: not used: 1 background and 2 foregrounds of splits without a share of the samples"
        in capsys.readouterr().err
    )
    used = {meta["background"] for meta in metas(tmp_path / "out")}
    assert used == {"wall1", "wall2"}


def test_a_split_without_assets_is_refused(
    flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (flat / "assets.csv").write_text("key,split\n" + "".join(f"wall{n},val\n" for n in range(3)))
    assert run(flat, tmp_path / "out") == 2
    assert "split.train: the source has no backgrounds for it" in capsys.readouterr().err
    assert split_run(flat, tmp_path / "out") == 2
    assert "split.train: the source has no backgrounds for it" in capsys.readouterr().err


# Several roots


def other_root(root: Path, name: str) -> Path:
    """The same names with other pixels; cut-outs by class."""
    other = root.parent / name
    shutil.copytree(root, other)
    for path in other.rglob("*.png"):
        image = Image.open(path)
        image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(path)
    (other / "fg" / "chair").mkdir()
    for path in list((other / "fg").glob("*.png")):
        path.rename(other / "fg" / "chair" / path.name)
    return other


def test_two_roots(flat: Path, tmp_path: Path) -> None:
    other = other_root(flat, "other")
    (other / "assets.csv").write_text(
        "key,label,split,licence\nchair/box0.png,seat,train,CC0-1.0\n"
    )
    (other / "bg" / "bad.png").write_bytes(b"bad")
    roots, out = f"{flat}:{other}", tmp_path / "out"
    words = ("samples=60", "source.on_bad_asset=quarantine", "shard_size=20")
    assert run(roots, out, *words) == 0
    assert (out / "quarantine" / "2" / "bg" / "bad.png").read_bytes() == b"bad"
    assert main(["verify", str(out)]) == 0
    backgrounds = {str(meta["background"]) for meta in metas(out)}
    assert backgrounds == {f"{at}wall{n}" for at in ("", "2/") for n in range(3)}
    source = Assets(root=roots, on_bad_asset=Assets(root="x").on_bad_asset.__class__.skip)
    catalogue = source.check(SIZE)
    assert catalogue.foreground_labels == ("chair", "foreground", "seat")
    assert catalogue.foreground_splits == {"2/chair/box0": "train"}
    assert catalogue.licences["foregrounds"] == {"CC0-1.0": 1}
    assert catalogue.files["backgrounds"].count == 6
    assert "2/assets.csv" in catalogue.hashes
    alone = Assets(root=str(other)).foreground("chair/box1", SIZE)
    worker = pickle.loads(pickle.dumps(source))
    for one in (source, worker):
        joined = one.foreground("2/chair/box1", SIZE)
        assert (joined.key, joined.label) == ("2/chair/box1", "chair")
        assert np.array_equal(joined.rgba, alone.rgba)
        assert one.has_depth("2/wall0")
        assert one.foreground_identity("2/chair/box1", SIZE)
    moved = tmp_path / "moved"
    other.rename(moved)
    assert main(["extend", str(out), "samples=70"]) == 2
    assert main(["extend", str(out), "samples=70", f"source.root={flat}:{moved}"]) == 0


def test_roots_have_keys_of_their_own(flat: Path) -> None:
    other = other_root(flat, "other")
    shutil.copytree(flat / "bg", flat / "bg" / "2")
    with pytest.raises(UsageError, match=r"2/wall0 is in the first folder.*rename the folder 2/"):
        Assets(root=f"{flat}:{other}").backgrounds()
    with pytest.raises(UsageError, match=r"source.root=.*/none: no such folder"):
        Assets(root=f"{flat}:{flat.parent}/none").check(SIZE)


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ("a", ["a"]),
        ("a:b", ["a", "b"]),
        ("/a/b:s3://bucket/c:d", ["/a/b", "s3://bucket/c", "d"]),
        ("s3://bucket/a:gs://bucket/b", ["s3://bucket/a", "gs://bucket/b"]),
        ("file:///a:/b", ["file:///a", "/b"]),
        ("a:", ["a"]),
        # The error about a lost slash is better than one about a folder s3.
        ("s3:/bucket/a", ["s3:/bucket/a"]),
        ("here:it is", ["here:it is"]),
    ],
)
def test_what_several_roots_are(
    text: str, roots: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "here:it is"):
        Path(name).mkdir()
    assert roots_of(text) == list(roots)


def test_an_output_in_a_second_root_is_refused(
    flat: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = other_root(flat, "other")
    assert run(f"{flat}:{other}", other / "bg" / "out") == 2
    assert "whose files are assets; choose another output" in capsys.readouterr().err


def test_roots_in_an_output_are_not_deleted(
    flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(flat, out) == 0
    shutil.copytree(flat, out / "mine")
    assert run(f"{flat}:{out / 'mine'}", out, "overwrite=true") == 2
    assert "which overwrite=true would delete" in capsys.readouterr().err
    assert (out / "mine" / "bg" / "wall0.png").is_file()


# Object stores


def test_nested_folders_by_url(nested: Path, tmp_path: Path, s3: Server) -> None:
    (nested / "fg").rename(nested / "Foregrounds")
    for name in (".git/x.png", "@eaDir/x.png", "a 0/notes.txt"):
        (nested / "bg" / name).parent.mkdir(exist_ok=True)
        (nested / "bg" / name).write_bytes(b"x")
    prefix = os.urandom(6).hex()
    s3.push(nested, prefix)
    # Both can be in a store, and not on a disk.
    s3.put(**{f"{prefix}/bg/a 0/notes.txt/x.png": b"x"})
    url = f"s3://bucket/{prefix}"
    assert run(nested, tmp_path / "here") == 0
    assert run(url, tmp_path / "there") == 0
    plans = [json.loads((tmp_path / at / "plan.json").read_text()) for at in ("here", "there")]
    assert plans[0]["fingerprint"] == plans[1]["fingerprint"]
    lists = [
        json.loads((tmp_path / at / "dataset.json").read_text())["left_out"]
        for at in ("here", "there")
    ]
    assert sorted(map(str, lists[0])) == sorted(map(str, lists[1]))
    source = Assets(root=url, subfolders=False)
    with pytest.raises(UsageError, match=r"bg: no pictures.*in a sub-folder \(move into bg/\)"):
        source.check(SIZE)
