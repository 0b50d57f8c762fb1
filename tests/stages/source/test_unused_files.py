"""What a run says about its assets, and about files and names that it does not use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.cli.main import main
from depthmask.errors import UsageError
from depthmask.stages.source._folder import listing
from depthmask.stages.source._folders import Folders
from depthmask.stages.source.assets import Assets
from tests.support import tiny

SIZE = (32, 32)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny.make_assets(tmp_path / "assets")


def opaque_cup(root: Path, mask: str) -> None:
    """A cut-out without transparency, and its mask."""
    Image.new("RGB", (20, 30), "red").save(root / "fg" / "cup.png")
    (root / mask).parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((30, 20), 255, np.uint8)).save(root / mask)


def error_of(root: Path) -> str:
    """The message of the check; other faults are on lines of their own below it."""
    with pytest.raises(UsageError) as caught:
        Assets(root=str(root)).check(SIZE)
    return str(caught.value)


def first_line(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words]) == 0
    return capsys.readouterr().err.splitlines()[0]


def test_the_first_line_counts_assets_and_files_that_are_not_used(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, stray = tmp_path / "plain", tmp_path / "stray"
    words = [*tiny.words(root, plain, "samples=2")]
    assert first_line(capsys, *words) == f"3 backgrounds, 4 foregrounds in {root}"
    for name in ("IMG_1.DNG", "IMG_2.dng", ".DS_Store", "Thumbs.db", "holiday/a.jpg"):
        (root / "bg" / name).parent.mkdir(exist_ok=True)
        (root / "bg" / name).write_bytes(b"")
    (root / "bg" / "holiday" / "b.jpg").write_bytes(b"")
    words = [*tiny.words(root, stray, "samples=2", "source.subfolders=false")]
    assert first_line(capsys, *words) == (
        f"3 backgrounds, 4 foregrounds in {root}; 6 files not used: "
        "2 hidden, or made by the system, 2 camera raw (save as JPEG or PNG), "
        "2 in a sub-folder (move into bg/)"
    )
    fingerprints = {
        json.loads((out / "plan.json").read_text())["fingerprint"] for out in (plain, stray)
    }
    assert len(fingerprints) == 1
    left_out = json.loads((stray / "dataset.json").read_text())["left_out"]
    assert {"file": "bg/IMG_1.DNG", "reason": "camera raw; save as JPEG or PNG"} in left_out
    assert {
        "file": "bg/holiday",
        "reason": "in a sub-folder; move into bg/",
        "files": 2,
    } in left_out
    # Also of a run that has nothing left to do.
    assert "6 files not used" in first_line(capsys, *words)


@pytest.mark.parametrize("folder", ["bg", "fg", "fg_mask", "bg_depth"])
def test_what_systems_leave_is_hidden(root: Path, folder: str) -> None:
    """In a folder, and in an object store, whose sub-folders are not copied."""
    names = ("._wall0.png", "@eaDir/wall0.png/a.jpg", "__MACOSX/a.jpg", "~$wall0.png")
    before = Assets(root=str(root)).check(SIZE)
    for name in names:
        (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
        (root / folder / name).write_bytes(b"")
    after = Assets(root=str(root)).check(SIZE)
    assert (after.digest, after.files) == (before.digest, before.files)
    reason = "hidden, or made by the system"
    assert [(one.reason, one.files) for one in after.left_out] == [(reason, 1)] * 4
    deeper = [f"{folder}/@eaDir/b/a.jpg", f"{folder}/.git/a", f"{folder}/x/a"]
    copied = listing(Folders.of_root(root), folder, deeper, is_nested=False)
    last = [(one.file, one.reason) for one in copied.unused[-3:]]
    assert last[:2] == [(f"{folder}/.git", reason), (f"{folder}/@eaDir", reason)]
    assert last[2] == (f"{folder}/x", f"in a sub-folder; move into {folder}/")


def test_notes_come_after_the_first_line(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "assets.csv").write_text("key,lable\nbox0,box\n")
    assert main(tiny.words(root, tmp_path / "out", "samples=1")) == 0
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first == f"3 backgrounds, 4 foregrounds in {root}"
    assert second == "note: assets.csv: column 'lable' is not used; did you mean 'label'?"


def test_rooms_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["source.rooms=2", "source.furniture=3", "size=[24,32]", "samples=1"]
    line = first_line(capsys, *words, f"output={tmp_path / 'out'}")
    assert line == "2 backgrounds, 3 foregrounds of source=rooms"


def test_where_nothing_can_be_used_the_line_says_what_lies_there(root: Path) -> None:
    for path in (root / "bg").iterdir():
        path.rename(path.with_suffix(".jp2"))
    shutil.rmtree(root / "bg_depth")
    assert "3 files not used: 3 JPEG 2000 (save as JPEG or PNG)" in error_of(root)


def test_a_link_to_a_folder_is_not_walked(root: Path) -> None:
    (root / "bg" / "all").symlink_to("/")
    (left_out,) = Assets(root=str(root)).check(SIZE).left_out
    assert (left_out.file, left_out.files) == ("bg/all", 1)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        *(("bg", other) for other in ("backgruonds", "backgroundss", "baground")),
        *(("fg", other) for other in ("forgrounds", "cut-ots", "foregruond")),
    ],
)
def test_a_folder_of_another_name_is_named(root: Path, name: str, other: str) -> None:
    (root / name).rename(root / other)
    assert f"{root / name}: no such folder; source.root needs bg/ and fg/" in error_of(root)
    assert f"did you mean {other}/? Rename it to {name}" in error_of(root)


def test_a_root_one_folder_too_deep_or_without_folders(root: Path, tmp_path: Path) -> None:
    assert f"did you mean source.root={root}?" in error_of(root / "bg")
    (tmp_path / "flat").mkdir()
    shutil.copy(root / "bg" / "wall0.png", tmp_path / "flat")
    assert "flat itself is 1 picture: move" in error_of(tmp_path / "flat")


def test_a_missing_folder_is_said_before_the_rows_of_its_pictures(root: Path) -> None:
    (root / "assets.csv").write_text("key,label\nbox0,box\n")
    (root / "fg").rename(root / "foregruonds")
    assert "did you mean foregruonds/?" in error_of(root)


@pytest.mark.parametrize("other", ["maskss", "forground_masks", "aplhas"])
def test_a_folder_of_masks_of_another_name_is_named(root: Path, other: str) -> None:
    opaque_cup(root, f"{other}/cup.png")
    assert f"did you mean {other}/? Rename it to fg_mask" in error_of(root)


def test_a_mask_whose_accents_are_spelled_in_another_way(root: Path) -> None:
    opaque_cup(root, "fg_mask/stu\u0308hl7.png")
    (root / "fg" / "cup.png").rename(root / "fg" / "st\u00fchl7.png")
    accents = "(the accents in it are spelled in another way)"
    text = error_of(root)
    assert f"(fg_mask/stu\u0308hl7.png may be its mask: give it that name) {accents}" in text
    assert f"(did you mean st\u00fchl7.png?) {accents}" in text


@pytest.mark.parametrize("mask", ["cup_mask", "mask_cup", "cup-alpha", "Cup", "cup.mask"])
def test_a_mask_of_another_name_is_named(root: Path, mask: str) -> None:
    opaque_cup(root, f"fg_mask/{mask}.png")
    text = error_of(root)
    assert text.startswith(f"{root}/fg/cup.png: no transparency and no mask")
    assert f"(fg_mask/{mask}.png may be its mask: give it that name)" in text
    (root / "fg" / "cup.png").unlink()
    Image.new("RGBA", (20, 30), (9, 9, 9, 99)).save(root / "fg" / "cup.png")
    text = error_of(root)
    assert f"fg_mask/{mask}.png: no picture of that name in fg/" in text
    assert "did you mean cup.png?" in text


@pytest.mark.parametrize(
    ("name", "other"),
    [("bg_depth", "depth"), ("bg_depth", "depth_maps"), ("assets.csv", "assets.CSV")],
)
def test_what_is_optional_is_counted_by_its_other_name(root: Path, name: str, other: str) -> None:
    (root / "assets.csv").write_text("key,label\nbox0,box\n")
    (root / name).rename(root / other)
    (left_out,) = Assets(root=str(root)).check(SIZE).left_out
    shown = other if "." in other else f"in {other}/"
    assert left_out.reason == f"{shown}; rename it to {name}"
    assert left_out.files == (3 if name == "bg_depth" else 1)


def test_numbers_are_no_typos(root: Path) -> None:
    opaque_cup(root, "fg_mask/box9.png")
    (root / "fg" / "cup.png").unlink()
    assert "did you mean" not in error_of(root)


def test_masks_beside_their_cut_outs_are_named(root: Path) -> None:
    for name in ("cup", "jug"):
        opaque_cup(root, f"fg/{name}_mask.png")
    (root / "fg" / "jug_mask.png").rename(root / "fg" / "Mask-jug.png")
    Image.new("RGB", (20, 30), "blue").save(root / "fg" / "jug.jpg")
    text = error_of(root)
    assert "fg/cup_mask.png: most likely the mask of a cut-out; move it to fg_mask/cup.png" in text
    assert "fg/Mask-jug.png: most likely the mask of a cut-out; move it to fg_mask/jug.png" in text
    assert "add fg_mask/cup_mask.png" not in text


def test_a_cut_out_whose_name_ends_like_that_of_a_mask_is_no_mask(root: Path) -> None:
    Image.new("RGB", (20, 30), "red").save(root / "fg" / "face_mask.png")
    assert "fg/face_mask.png: no transparency and no mask; cut it out" in error_of(root)


def test_a_mask_with_the_suffix_of_its_cut_out_is_named(root: Path) -> None:
    opaque_cup(root, "fg_mask/cup.png.png")
    assert "(fg_mask/cup.png.png may be its mask: give it that name)" in error_of(root)


def test_cut_outs_in_a_sub_folder_are_named_before_their_masks(root: Path) -> None:
    opaque_cup(root, "fg_mask/cup.png")
    (root / "cups").mkdir()
    for path in (root / "fg").iterdir():
        path.rename(root / "cups" / path.name)
    (root / "cups").rename(root / "fg" / "cups")
    assert "fg_mask/cup.png: no picture of that name in fg/; rename or remove it (did you mean" in (
        error_of(root)
    )
    assert "(did you mean cups/cup.png?)" in error_of(root)
    with pytest.raises(UsageError) as caught:
        Assets(root=str(root), subfolders=False).check(SIZE)
    assert f"{root}/fg: no pictures" in str(caught.value)
    assert "5 in a sub-folder (move into fg/)" in str(caught.value)


@pytest.mark.parametrize("name", ["assets.xlsx", "Assets.ods", "assets.tsv"])
def test_a_table_of_another_format_is_not_to_be_renamed(root: Path, name: str) -> None:
    (root / "assets.csv").unlink(missing_ok=True)
    (root / name).write_bytes(b"PK")
    (left_out,) = Assets(root=str(root)).check(SIZE).left_out
    assert left_out.reason == f"{name}; save it as assets.csv, in the format CSV UTF-8"


def test_a_table_in_a_folder_of_pictures_is_named(root: Path) -> None:
    (root / "fg" / "assets.csv").write_text("key,label\n")
    (left_out,) = Assets(root=str(root)).check(SIZE).left_out
    assert left_out.reason == "assets.csv; move it out of fg/, to assets.csv beside it"


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(b"PK")
    text = error_of(tmp_path / "photos.zip")
    assert "photos.zip: is a file; give the folder that holds bg/ and fg/, and unpack it" in text
    assert "no such folder" in error_of(tmp_path / "photo")


def test_reasons_that_differ_in_a_name_alone_are_counted_together(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cup", "jug", "pan"):
        Image.new("RGB", (20, 30), "red").save(root / "fg" / f"{name}.jpg")
    words = [*tiny.words(root, tmp_path / "out", "samples=2"), "source.on_bad_asset=skip"]
    assert main(words) == 0
    first, *lines = capsys.readouterr().err.splitlines()
    assert first.endswith("; 3 files not used: 3 no transparency and no mask")
    assert "  fg/jug.jpg: no transparency and no mask; cut it out, or add fg_mask/jug.png" in lines


def test_one_background_is_no_backgrounds(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in [*(root / "bg").iterdir(), *(root / "bg_depth").iterdir()]:
        if path.stem != "wall0":
            path.unlink()
    words = tiny.words(root, tmp_path / "out", "samples=1")
    assert first_line(capsys, *words) == f"1 background, 4 foregrounds in {root}"
