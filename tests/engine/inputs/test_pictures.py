"""Pictures of others in a zip, a tar or a folder, most in DepthMaskDataset's layout."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.codec.sample import decode
from depthmask.engine.inputs.open import open_input
from depthmask.errors import DepthmaskError, UsageError
from tests.support.profiles import ADOBE_RGB, SRGB, grey_profile, in_srgb, rgb_profile

Contents = Mapping[str, bytes]


def picture(shade: int, size: tuple[int, int] = (20, 24), kind: str = "jpeg") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size[1], size[0]), (shade, 10, 200)).save(file, format=kind)
    return file.getvalue()


def original() -> dict[str, bytes]:
    """Two backgrounds, three samples; of the last one no table tells."""
    contents = {}
    for number, stem in enumerate(("bg002/bg002_fg001", "bg001/bg001_fg007", "bg001/bg001_fg_a")):
        name = f"{stem}_{number + 9:06d}.jpg"
        contents[f"data/fg_bg/{name}"] = picture(number)
        contents[f"data/fg_bg_mask/{name}"] = picture(255 - number)
    rows = [
        "data/fg_bg/bg002/bg002_fg001_000009.jpg\tdata/fg_bg_mask/x.jpg\t3\t-4\t10\t11",
        "other/bg001/bg001_fg007_000010.jpg\tdata/fg_bg_mask/x.jpg\t5\t6\t7\t8",
    ]
    return {**contents, "data/labels/data_label.txt": "\n".join(rows).encode()}


def as_zip(path: Path, contents: Contents) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


def as_tar(path: Path, contents: Contents) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def as_folder(path: Path, contents: Contents) -> Path:
    for name, data in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


@pytest.mark.parametrize("folder", ["fg_bg", "fg_bg_mask"])
def test_pictures_that_exif_turns_are_refused(folder: str, tmp_path: Path) -> None:
    """Files are copied: the picture would lie in another way than mask and depth."""
    contents, exif = original(), Image.Exif()
    name = next(name for name in contents if f"/{folder}/" in name)
    for orientation, is_fine in ((1, True), (3, False)):
        exif[0x0112] = orientation
        file = io.BytesIO()
        Image.new("RGB", (24, 20)).save(file, "jpeg", exif=exif)
        pictures = open_input(
            [str(as_zip(tmp_path / "a.zip", {**contents, name: file.getvalue()}))]
        )
        if is_fine:
            assert file.getvalue() in pictures.read(0).members.values()
            continue
        with pytest.raises(DepthmaskError, match=f"{name}: its EXIF orientation turns it"):
            pictures.read(0)


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_pictures_of_another_colour_space_become_srgb(kind: str, tmp_path: Path) -> None:
    """Readers of datasets heed no profile; one of sRGB says nothing else, and the file is copied.

    The values of masks are no colours: their files are copied with any profile.
    """
    files = {}
    for number, icc in enumerate((rgb_profile(ADOBE_RGB), rgb_profile(SRGB))):
        for folder in ("fg_bg", "fg_bg_mask"):
            file = io.BytesIO()
            icc = icc if folder == "fg_bg" else grey_profile(1.0)
            image = Image.new("RGB" if folder == "fg_bg" else "L", (24, 20), "#3cb43c")
            image.save(file, kind, icc_profile=icc)
            files[f"{folder}/bg1/bg1_fg1_{number}.{kind}"] = file.getvalue()
    pictures = open_input([str(as_folder(tmp_path / "in", files))])
    converted, copied = pictures.read(0), pictures.read(1)
    member = "jpg" if kind == "jpeg" else "png"
    assert converted.members[f"mask.{member}"] == files[f"fg_bg_mask/bg1/bg1_fg1_0.{kind}"]
    assert copied.members[member] == files[f"fg_bg/bg1/bg1_fg1_1.{kind}"]
    with Image.open(io.BytesIO(converted.members[member])) as image:
        assert "icc_profile" not in image.info
    expected = in_srgb(np.array([60, 180, 60], np.uint8), ADOBE_RGB).astype(int)
    assert abs(decode(converted).image - expected).max() <= 4


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "P", "LA", "RGBA", "I;16"])
def test_png_masks_are_grey_in_8_bits(mode: str, tmp_path: Path) -> None:
    """Files are copied: readers would see other values in the rest."""
    contents = original()
    name = next(name for name in contents if "/fg_bg_mask/" in name)
    file = io.BytesIO()
    Image.new("L", (24, 20), 255).convert(mode).save(file, "png")
    pictures = open_input([str(as_zip(tmp_path / "a.zip", {**contents, name: file.getvalue()}))])
    if mode in ("L", "1", "RGB"):
        assert file.getvalue() in pictures.read(0).members.values()
    else:
        with pytest.raises(DepthmaskError, match=f"{name}: a mask in 16 bits, with a palette or"):
            pictures.read(0)


@pytest.mark.parametrize("make", [as_zip, as_tar, as_folder])
def test_the_layout_of_depthmaskdataset(
    make: Callable[[Path, Contents], Path], tmp_path: Path
) -> None:
    """By their numbers, not by the order in the archive; boxes from the table."""
    contents = original()
    there = make(tmp_path / "there", dict(reversed(contents.items())))
    out = tmp_path / "out"
    assert main(["convert", str(there), f"output={out}", "runner.workers=1"]) == 0
    dataset = depthmask.open(out)
    names = [name for name in contents if "/fg_bg/" in name]
    assert [sample.meta["file"] for sample in dataset] == names
    for index, name in enumerate(names):
        members = dataset.encoded(index).members
        assert members["jpg"] == contents[name]
        assert members["mask.jpg"] == contents[name.replace("/fg_bg/", "/fg_bg_mask/")]
    assert [sample.meta["background"] for sample in dataset] == ["bg002", "bg001", "bg001"]
    assert [sample.meta["layers"] for sample in dataset] == [
        [{"foreground": "fg001", "label": "fg001", "box": [-4, 3, 11, 10]}],
        [{"foreground": "fg007", "label": "fg007", "box": [6, 5, 8, 7]}],
        [{"foreground": "fg_a", "label": "fg_a"}],
    ]
    assert (dataset.info["backgrounds"], dataset.info["foregrounds"]) == (2, 3)
    assert dataset.info["shard_size"] == 4000
    assert dataset.info["assets"] == {}
    assert dataset.stats["image"]["mean"][2] == pytest.approx(200 / 255, abs=0.01)
    assert main(["verify", str(out)]) == 0


def test_a_zip_in_parts(tmp_path: Path) -> None:
    contents = original()
    names = sorted(contents)
    parts = [
        as_zip(tmp_path / "1.zip", {name: contents[name] for name in names[:2]}),
        as_tar(tmp_path / "2.tar", {name: contents[name] for name in names[2:]}),
    ]
    found = open_input([str(path) for path in parts])
    assert found.samples == 3
    for index in range(3):
        encoded = found.read(index)
        name = next(name for name in contents if f"/fg_bg/bg00{2 - (index > 0)}" in name)
        assert encoded.members["jpg"] in contents.values(), name
    assert found.sha256 != open_input([str(parts[0]), str(parts[0])][:1]).sha256


def test_pictures_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In the order of their names; nothing is in front of them, so masks are empty."""
    there = as_folder(
        tmp_path / "photos",
        {"b.png": picture(2, kind="png"), "a/z.png": picture(1, kind="png"), "note.txt": b"x"},
    )
    (there / "link.png").symlink_to(there / "b.png")
    out = tmp_path / "out"
    assert main(["convert", str(there), f"output={out}", "runner.workers=1"]) == 0
    assert "2 samples" in capfd.readouterr().err
    dataset = depthmask.open(out)
    assert [sample.meta["background"] for sample in dataset] == ["a/z", "b"]
    assert [int(sample.image[0, 0, 0]) for sample in dataset] == [1, 2]
    assert not any(sample.mask.any() or sample.meta["layers"] for sample in dataset)


def test_other_content_gives_another_sha256(tmp_path: Path) -> None:
    before = as_folder(tmp_path / "photos", {"a.jpg": picture(1)})
    same = as_folder(tmp_path / "copy", {"a.jpg": picture(1)})
    one = open_input([str(before)]).sha256
    assert open_input([str(same)]).sha256 == one
    (before / "a.jpg").write_bytes(picture(9))
    assert open_input([str(before)]).sha256 != one


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        open_input([str(path)])
    return str(caught.value)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    contents = original()
    mask = next(name for name in contents if "fg_bg_mask" in name)
    lacking = {name: data for name, data in contents.items() if name != mask}
    assert "no mask of that name in fg_bg_mask/" in refused(as_zip(tmp_path / "l.zip", lacking))
    assert "nor fg_bg/" in refused(as_zip(tmp_path / "e.zip", {"readme.txt": b"x"}))
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "e.zip", "e.zip")
    assert "unpack it first" in refused(tmp_path / "c.tar.gz")
    assert "no such file or folder" in refused(tmp_path / "nosuch")


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_pairs_of_another_size_or_format_are_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    size = (30, 24) if kind == "jpeg" else (20, 24)
    contents = {
        **{f"fg_bg/bg1/bg1_fg1_{number}.jpg": picture(number) for number in (1, 2)},
        **{f"fg_bg_mask/bg1/bg1_fg1_{number}.jpg": picture(number) for number in (1, 2, 3)},
        "fg_bg/bg1/bg1_fg1_3.jpg": picture(3, size, kind),
    }
    path = as_folder(tmp_path / "in", contents)
    assert main(["convert", str(path), f"output={tmp_path / 'out'}", "runner.workers=1"]) == 1
    shown = "jpg of 30x24" if kind == "jpeg" else "png of 20x24"
    error = capfd.readouterr().err
    assert f"bg1_fg1_3.jpg: a {shown}; the first picture is a jpg of 20x24" in error


def test_hidden_files_beside_pairs_are_no_pictures(tmp_path: Path) -> None:
    contents = original()
    hidden = {f"__MACOSX/{name.rpartition('/')[0]}/._x.jpg": b"\0\5" for name in contents}
    both = open_input([str(as_zip(tmp_path / "mac.zip", {**contents, **hidden}))])
    assert both.samples == 3
    assert both.read(2).members["jpg"] in contents.values()


def test_a_table_with_other_columns_is_named(tmp_path: Path) -> None:
    contents = {**original(), "data/labels/bg001_label_info.txt": b"a,b,c"}
    with pytest.raises(depthmask.DepthmaskError, match=r"bg001_label_info.txt: line 1 has 1 col"):
        open_input([str(as_zip(tmp_path / "t.zip", contents))])


def test_names_with_unprintable_characters(tmp_path: Path) -> None:
    """They are shown by their codes, and read all the same."""
    there = tmp_path / "photos"
    there.mkdir()
    (there / "a\nb\udc80.png").write_bytes(picture(1, kind="png"))
    found = open_input([str(there)])
    assert b'"file":"a\\\\nb\\\\udc80.png"' in found.read(0).members["json"]
    made = as_zip(tmp_path / "z.zip", {"a\tb.jpg": b"x"})
    with pytest.raises(depthmask.DepthmaskError, match=r"a\\tb\.jpg: not a picture of a format"):
        open_input([str(made)])


def test_links_and_encrypted_members_are_skipped(tmp_path: Path) -> None:
    path = as_tar(tmp_path / "t.tar", {"a.jpg": picture(1)})
    with tarfile.open(path, "a") as archive:
        entry = tarfile.TarInfo("b.jpg")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    assert open_input([str(path)]).samples == 1
    assert np.array_equal(open_input([str(path)]).size, (20, 24))


@pytest.mark.parametrize("make", [as_zip, as_tar])
def test_damaged_archives_end_in_one_line(
    make: Callable[[Path, Contents], Path], tmp_path: Path
) -> None:
    whole, refusals = make(tmp_path / "whole", original()).read_bytes(), []
    for case in range(100):
        dice = random.Random(case)
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 12)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(damaged[: dice.choice([len(damaged), dice.randrange(len(damaged))])])
        try:
            found = open_input([str(path)])
            for index in range(found.samples):
                found.read(index)
            found.dataset_facts()
        except depthmask.DepthmaskError as error:
            refusals.append(str(error))
    assert len(refusals) > 30
    assert all(map(str.isprintable, refusals))


def test_no_output_among_files_that_are_all_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The input of the next run would be another one."""
    folder = as_folder(tmp_path / "input", original())
    for words in ([f"output={folder}/data/out"], []):
        monkeypatch.chdir(folder)
        assert main(["convert", str(folder), "writer=zip", *words]) == 2
        error = capfd.readouterr().err
        assert f"lies in the input, {folder}, of which every file is read" in error
    assert not (folder / "outputs").exists()
    assert main(["convert", str(folder), "writer=zip", f"output={tmp_path / 'out'}"]) == 0
