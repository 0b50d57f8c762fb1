"""`source=coco`: masks, choices, metadata, splits and the labels of datasets."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import depthmask
import made
import numpy as np
import pytest
from depthmask import AssetFolder, OnBadAsset, SettingError, UsageError
from depthmask.cli.main import main
from made import HEIGHT, WIDTH
from PIL import Image
from pycocotools.coco import COCO

from depthmask_coco._coco_file import read_coco
from depthmask_coco._instances import Annotations
from depthmask_coco._licences import licence_of
from depthmask_coco.coco import Coco

CANVAS = np.s_[96:192, 128:256]
"""A canvas of 96x128 in the middle of a picture three times as large."""


def words(source: Coco, output: Path, *more: str) -> list[str]:
    chosen = [
        "source=coco",
        f"source.root={source.root}",
        f"source.annotations={source.annotations}",
    ]
    rest = ["source.least_area=100", "depth=none", "runner.workers=1", f"output={output}"]
    return [*chosen, *rest, *more]


def test_masks_are_those_of_annToMask(coco: Coco) -> None:  # noqa: N802
    coco.check((HEIGHT, WIDTH))
    reference = COCO(coco.annotations)
    assets = coco._assets
    assert len(assets.instances) == 12
    for instance in assets.instances.values():
        mask = instance.shape.mask((HEIGHT, WIDTH), AssetFolder(coco.root))
        entry = reference.anns[instance.facts["annotation_id"]]
        assert np.array_equal(mask, reference.annToMask(entry))


def test_a_real_size(tmp_path: Path) -> None:
    """Polygons and run lengths of 480x640, against annToMask."""
    rng = np.random.default_rng(2)
    entries = []
    for number in range(1, 41):
        turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(8, 80))))
        radii = rng.uniform(20, 110, len(turns))
        points = np.stack([320 + radii * np.cos(turns), 240 + radii * np.sin(turns)], 1)
        polygon = [round(float(one), 2) for one in points.ravel()]
        shape: object = [polygon]
        if number % 3 == 0:
            shape = made.compressed(made.mask_at([polygon], (480, 640)))
        entries.append({"id": number, "image_id": 1, "category_id": 1, "segmentation": shape,
                        "iscrowd": 0, "area": 1, "bbox": [0, 0, 1, 1]})  # fmt: skip
    file = {"images": [{"id": 1, "file_name": "a.jpg", "height": 480, "width": 640}],
            "annotations": entries, "categories": made.CATEGORIES}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(file))
    Image.new("RGB", (640, 480)).save(tmp_path / "a.jpg")
    source = Coco(root=str(tmp_path), annotations=str(tmp_path / "a.json"))
    source.check((48, 64))
    reference = COCO(source.annotations)
    assert len(source.foregrounds()) == 40
    for instance in source._assets.instances.values():
        ours = instance.shape.mask((480, 640), AssetFolder(tmp_path)) == 1
        theirs = reference.annToMask(reference.anns[instance.facts["annotation_id"]]) == 1
        assert (ours & theirs).sum() >= 0.99 * (ours | theirs).sum()


def test_what_is_known_goes_into_the_card_and_the_samples(tmp_path: Path, coco: Coco) -> None:
    out = tmp_path / "out"
    assert main(words(coco, out, "samples=6", "labels=[coco,instances]")) == 0
    info = json.loads((out / "dataset.json").read_text())
    assert info["licences"] == {
        "backgrounds": {"CC-BY-2.0": 2, "of my own": 2},
        "foregrounds": {"CC-BY-2.0": 6, "of my own": 6},
    }
    assert "CC-BY-2.0" in (out / "README.md").read_text()
    crowds = [one for one in info["left_out"] if one["file"] == "instances.json: crowds"]
    assert [one["files"] for one in crowds] == [4]
    for sample in depthmask.open(out):
        name = sample.meta["background"]
        number = int(name.partition(".")[0])
        licence = ["CC-BY-2.0", "of my own"][number % 2]
        facts = {"file_name": name, "image_id": number, "licence": licence}
        assert sample.meta["background_meta"] == facts
        for layer in sample.meta["layers"]:
            meta = layer["meta"]
            assert layer["foreground"] == f"{meta['file_name']}-{meta['annotation_id']}"
            assert meta["annotation_id"] // 100 == meta["image_id"]


@pytest.mark.parametrize(("rim", "edge", "least"), [(0, 3, 0.998), (2, 12, 0.9)])
def test_labels_are_the_shapes_of_the_recipes(
    tmp_path: Path, coco: Coco, rim: int, edge: int, least: float
) -> None:
    """The masks of the dataset against those made anew from the annotations, but for their edges.

    Objects are made up to four times as large, and with them the pixels of their edges and rims.
    """
    out = tmp_path / "out"
    more = ["samples=40", "labels=[coco,instances]", "size=[96,128]", "objects=[1,3]"]
    more += [f"source.rim={rim}", "source.background_instances=none"]
    assert main(words(coco, out, *more)) == 0
    content = json.loads(Path(coco.annotations).read_text())
    entries = {one["id"]: one for one in content["annotations"]}
    for sample in depthmask.open(out):
        around = np.zeros((96 * 3, 128 * 3), np.uint8)
        for number, layer in enumerate(sample.meta["layers"], start=1):
            shape = drawn(made.mask_of(entries[layer["meta"]["annotation_id"]]), layer)
            around[shape >= 128] = number
        labels = sample.instances
        assert labels is not None
        expected = around[CANVAS]
        inner = made.away_from_edges(around, edge)[CANVAS]
        assert np.array_equal(labels[inner], expected[inner])
        assert (labels == expected).mean() > least
    reference = COCO(str(out / "coco_train.json"))
    assert len(reference.imgs) == 40
    assert {one["name"] for one in reference.cats.values()} == {"box", "disk", "star"}
    for entry in reference.anns.values():
        assert reference.annToMask(entry).sum() == entry["area"]


def drawn(mask: np.ndarray, layer: dict[str, Any]) -> np.ndarray:
    """The mask of an object, scaled into the box of its layer: uint8, the canvas and around it."""
    rows, columns = np.nonzero(mask)
    tight = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] * 255
    top, left, height, width = layer["box"]
    scaled = Image.fromarray(tight).resize((width, height), Image.Resampling.BILINEAR)
    canvas = np.zeros((96 * 3, 128 * 3), np.uint8)
    pixels = np.asarray(scaled)[:, ::-1] if layer["flip"] else np.asarray(scaled)
    canvas[96 + top : 96 + top + height, 128 + left : 128 + left + width] = pixels
    return canvas


def test_no_photograph_is_in_two_splits(tmp_path: Path) -> None:
    pictures, path = made.make_coco(tmp_path, 12)
    source = Coco(root=str(pictures), annotations=str(path))
    out = tmp_path / "out"
    more = ["samples=90", "objects=2", "split.train=0.5", "split.val=0.25", "split.test=0.25"]
    assert main(words(source, out, *more, "split.alike=0")) == 0
    splits: dict[int, set[str]] = {}
    for sample in depthmask.open(out):
        background = sample.meta["background_meta"]["image_id"]
        images = [layer["meta"]["image_id"] for layer in sample.meta["layers"]]
        assert background not in images
        for one in (background, *images):
            splits.setdefault(one, set()).add(sample.meta["split"])
    assert all(len(names) == 1 for names in splits.values())
    assert Counter(next(iter(names)) for names in splits.values()) == {
        "train": 6,
        "val": 3,
        "test": 3,
    }
    info = json.loads((out / "dataset.json").read_text())
    assert info["leakage"] == {"assets": 0, "near_duplicates": 0}


def test_all_pairs_are_of_different_photographs(tmp_path: Path, coco: Coco) -> None:
    out = tmp_path / "out"
    assert (
        main(words(coco, out, "sampling=product", "samples=null", "flips=false", "repeats=1")) == 0
    )
    pairs = [
        (one.meta["background"], one.meta["layers"][0]["foreground"]) for one in depthmask.open(out)
    ]
    assert len(pairs) == len(set(pairs)) == 4 * (12 - 3)
    assert not any(foreground.startswith(background) for background, foreground in pairs)


def test_one_photograph_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pictures, path = made.make_coco(tmp_path, 1)
    source = Coco(root=str(pictures), annotations=str(path))
    assert main(words(source, tmp_path / "out", "samples=2")) == 2
    assert capfd.readouterr().err.endswith(
        "error: objects=1: the source has 0 foregrounds for 000000000001.jpg, without those that "
        "are cut from it; choose other backgrounds, or add photographs\n"
    )


def test_other_backgrounds(tmp_path: Path) -> None:
    pictures, path = made.make_coco(tmp_path, 2)
    (tmp_path / "walls").mkdir()
    for number in range(3):
        Image.new("RGB", (64, 48), (number, 9, 9)).save(tmp_path / "walls" / f"wall{number}.png")
    (tmp_path / "walls" / "bad.jpg").write_bytes(b"no picture")
    source = Coco(root=str(pictures), annotations=str(path), least_area=100,
                  backgrounds_root=str(tmp_path / "walls"))  # fmt: skip
    with pytest.raises(UsageError, match=r"walls/bad\.jpg: not a picture of a format"):
        source.check((48, 64))
    source.on_bad_asset = OnBadAsset.skip
    catalogue = source.check((48, 64))
    assert catalogue.backgrounds == ("wall0.png", "wall1.png", "wall2.png")
    assert catalogue.licences["backgrounds"] == {}
    assert len(catalogue.foregrounds) == 6
    assert source.background("wall2.png", (48, 64)).image[0, 0].tolist() == [2, 9, 9]
    groups = {source.background_group(key) for key in catalogue.backgrounds}
    assert None not in groups
    assert len(groups) == 3
    assert source.foreground_group(catalogue.foregrounds[0]) not in groups


def test_no_object_is_pasted_into_a_copy_of_its_photograph(tmp_path: Path) -> None:
    pictures, path = made.make_coco(tmp_path, 3)
    walls = tmp_path / "walls"
    walls.mkdir()
    for number in (1, 2, 3):
        (walls / f"copy{number}.jpg").write_bytes((pictures / f"{number:012d}.jpg").read_bytes())
    source = Coco(root=str(pictures), annotations=str(path))
    out = tmp_path / "out"
    more = [f"source.backgrounds_root={walls}", "sampling=product", "samples=null"]
    assert main(words(source, out, *more, "flips=false", "repeats=1")) == 0
    pairs = {
        (sample.meta["background"][4], sample.meta["layers"][0]["foreground"][11])
        for sample in depthmask.open(out)
    }
    assert pairs == {(one, other) for one in "123" for other in "123" if one != other}


def test_a_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.make_coco(tmp_path, 2)
    walls = tmp_path / "walls"
    (walls / "stone").mkdir(parents=True)
    for name in ("a.PNG", "b.bmp", "stone/c.tif"):
        Image.new("RGB", (64, 48)).save(walls / name)
    for name in ("._a.png", "Thumbs.db", "d.heic"):
        (walls / name).write_bytes(b"x")
    monkeypatch.setenv("HOME", str(tmp_path))
    source = Coco(root="~/pictures", annotations="~/instances.json", backgrounds_root="~/walls")
    catalogue = source.check((48, 64))
    assert catalogue.backgrounds == ("a.PNG", "b.bmp", "stone/c.tif")
    assert source.background("b.bmp", (48, 64)).image.shape == (48, 64, 3)
    assert {(one.reason, one.files) for one in catalogue.left_out if one.file == str(walls)} == {
        ("hidden, or made by the system", 2),
        (".heic; save pictures as JPEG or PNG", 1),
    }


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({}, 12),
        ({"categories": ["disk", "box"]}, 8),
        ({"categories": ["star"]}, 4),
        ({"least_area": 1200}, 8),
        ({"crowd": True, "truncated": True}, 16),
        ({"crowd": True}, 12),  # The crowds are at the border.
    ],
)
def test_choices(coco: Coco, settings: dict[str, object], count: int) -> None:
    for name, value in settings.items():
        setattr(coco, name, value)
    assert len(coco.check((32, 48)).foregrounds) == count


def test_objects_at_the_border(tmp_path: Path) -> None:
    pictures, path = made.make_coco(tmp_path, 2)
    content = json.loads(path.read_text())
    content["annotations"][0]["segmentation"] = [[0, 20, 40, 20, 40, 60, 0, 60]]
    content["annotations"][4]["segmentation"] = [[90, 50, 128.5, 50, 128.5, 90, 90, 90]]
    path.write_text(json.dumps(content))
    source = Coco(root=str(pictures), annotations=str(path), least_area=100)
    catalogue = source.check((32, 48))
    assert len(catalogue.foregrounds) == 4
    assert catalogue.notes == (
        f"{pictures}: objects not used: 2 cut off by the border (source.truncated=true uses them)",
    )
    source.truncated = True
    assert len(source.check((32, 48)).foregrounds) == 6


def test_the_rim_is_soft(coco: Coco) -> None:
    key, softness = "000000000001.jpg-100", {}
    for rim in (0, 2):
        coco.rim, coco.foreground_scale = rim, 60 / 96  # About as large as in the photograph.
        coco.check((96, 128))
        alpha = coco.foreground(key, (96, 128)).rgba[..., 3]
        softness[rim] = int(((alpha > 30) & (alpha < 225)).sum())
    assert softness[2] > 1.4 * softness[0]


def test_a_second_check_reads_no_picture(coco: Coco, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file that has just been written may change again without a new time.
    time.sleep(2.2)
    first = coco.check((32, 48))
    monkeypatch.setattr(AssetFolder, "picture_for", None)
    assert coco.check((32, 48)).digest == first.digest


def test_a_second_check_reads_no_annotations(coco: Coco, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are kept with their faults, until the file changes, or `recheck` asks for it."""
    path = Path(coco.annotations)
    content = json.loads(path.read_text())
    content["annotations"][0]["segmentation"] = []
    path.write_text(json.dumps(content))
    coco.on_bad_asset = OnBadAsset.quarantine
    time.sleep(2.2)
    first = coco.check((32, 48))
    read = list[Path]()

    def reading(path: Path, data: bytes) -> Annotations:
        read.append(path)
        return read_coco(path, data)

    monkeypatch.setattr("depthmask_coco.coco.read_coco", reading)
    assert coco.check((32, 48)) == first
    assert not read
    assert first.left_out[0].reason.startswith("its segmentation is empty")
    coco.recheck = True
    assert coco.check((32, 48)) == first
    assert read == [path]
    coco.recheck = False
    path.write_text(path.read_text().replace("star", "moon"))
    assert coco.check((32, 48)).digest != first.digest
    assert read == [path, path]


def test_annotations_that_are_no_utf_8_are_read_each_time(coco: Coco) -> None:
    path = Path(coco.annotations)
    content = json.loads(path.read_text())
    content["images"][0]["file_name"], content["info"] = "\ud800.jpg", float("nan")
    path.write_text(json.dumps(content))
    coco.on_bad_asset = OnBadAsset.skip
    for _ in range(2):
        left_out = coco.check((32, 48)).left_out
        assert any("not a name of a file" in one.reason for one in left_out)


def test_too_large_a_file_is_refused(coco: Coco, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthmask_coco.coco.MOST_BYTES", 1000)
    with pytest.raises(UsageError, match=r"instances\.json: [\d,]+ bytes, the most is 1,000; make"):
        coco.check((32, 48))


def test_a_digest_tells_other_annotations(coco: Coco) -> None:
    first = coco.check((32, 48)).digest
    path = Path(coco.annotations)
    path.write_text(path.read_text().replace("star", "moon"))
    assert coco.check((32, 48)).digest != first


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("root", "nowhere", "source.root=nowhere: no such folder"),
        ("root", "s3://bucket/photos", "source.root=s3://bucket/photos: is a URL; copy the files"),
        ("annotations", "nowhere.json", "source.annotations=nowhere.json: no such file"),
        ("annotations", "s3://b/a.json", "source.annotations=s3://b/a.json: is a URL; copy the"),
        ("backgrounds_root", "gs://b", "source.backgrounds_root=gs://b: is a URL; copy the files"),
        ("backgrounds_root", "nowhere", "source.backgrounds_root=nowhere: no such folder"),
    ],
)
def test_settings_that_name_nothing(coco: Coco, name: str, value: str, line: str) -> None:
    setattr(coco, name, value)
    with pytest.raises(SettingError, match=f"^{line}"):
        coco.check((32, 48))


def moved(tmp_path: Path, coco: Coco) -> list[str]:
    """The settings of the same files in another folder."""
    folder = tmp_path / "moved"
    folder.mkdir()
    names = {"root": Path(coco.root), "annotations": Path(coco.annotations)}
    return [f"source.{name}={path.rename(folder / path.name)}" for name, path in names.items()]


def test_a_dataset_is_continued_with_files_that_moved(tmp_path: Path, coco: Coco) -> None:
    """By the whole command, as docs/annotated.md says."""
    out = tmp_path / "out"
    assert main(words(coco, out, "samples=2")) == 0
    first = [one.image.tolist() for one in depthmask.open(out)]
    rest = words(coco, out, "samples=4")[3:]
    assert main(["source=coco", *moved(tmp_path, coco), *rest]) == 0
    images = [one.image.tolist() for one in depthmask.open(out)]
    assert len(images) == 4
    assert images[:2] == first


def test_a_dataset_is_repeated_with_files_that_moved(tmp_path: Path, coco: Coco) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    assert main(words(coco, out, "samples=2")) == 0
    assert main(["repeat", str(out), *moved(tmp_path, coco), f"output={other}"]) == 0
    one, two = ([sample.image.tolist() for sample in depthmask.open(each)] for each in (out, other))
    assert one == two


def test_the_photograph_that_holds_all_objects_is_no_background(
    coco: Coco, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = Path(coco.annotations)
    content = json.loads(path.read_text())
    content["annotations"] = [one for one in content["annotations"] if one["image_id"] == 1]
    path.write_text(json.dumps(content))
    out = tmp_path / "out"
    assert main(words(coco, out, "samples=12")) == 0
    line = (
        "note: backgrounds: 1 not used, since fewer than objects=1 foregrounds are cut from others"
    )
    assert f"{line}: 000000000001.jpg\n" in capfd.readouterr().err
    used = {sample.meta["background"] for sample in depthmask.open(out)}
    assert used == {f"{number:012d}.jpg" for number in (2, 3, 4)}
    assert depthmask.open(out).metadata.backgrounds == 3


TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation -> what makes the pixels of its file of an upright picture."""


def turned(tmp_path: Path, orientation: int) -> Coco:
    """The first photograph in a file of this EXIF orientation, with annotations of it upright."""
    pictures, path = made.make_coco(tmp_path, 2)
    content = json.loads(path.read_text())
    jpeg = pictures / content["images"][0]["file_name"]
    with Image.open(jpeg) as upright:
        exif = Image.Exif()
        exif[274] = orientation
        stored = upright.transpose(TURNS[orientation]) if orientation > 1 else upright.copy()
    stored.save(jpeg.with_suffix(".png"), exif=exif)
    content["images"][0]["file_name"] = jpeg.with_suffix(".png").name
    path.write_text(json.dumps(content))
    return Coco(root=str(pictures), annotations=str(path), least_area=100)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_annotations_are_of_the_upright_photograph(tmp_path: Path, orientation: int) -> None:
    """As browsers, OpenCV, Detectron2 and Ultralytics show it."""
    every = [turned(tmp_path / str(one), one) for one in (1, orientation)]
    for source in every:
        source.check((96, 128))
    for key in [one for one in every[0].foregrounds() if "001.png" in one]:
        upright, other = (one.foreground(key, (96, 128)).rgba for one in every)
        assert np.array_equal(upright, other)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_annotations_of_pixels_as_they_lie_in_the_file_are_a_fault(
    tmp_path: Path, orientation: int
) -> None:
    source = turned(tmp_path, orientation)
    path = Path(source.annotations)
    content = json.loads(path.read_text())
    content["images"][0] |= {"height": 128, "width": 96}
    content["annotations"] = [one for one in content["annotations"] if one["image_id"] != 1]
    path.write_text(json.dumps(content))
    message = "image 1: 96x128 (upright, by EXIF if it has any), but its annotations are for 128x96"
    with pytest.raises(UsageError, match=re.escape(message)):
        source.check((96, 128))


def test_annotations_are_counted_as_such(
    coco: Coco, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(words(coco, out, "samples=2")) == 0
    assert "; 4 annotations not used: 4 a crowd" in capfd.readouterr().err
    left_out = json.loads((out / "dataset.json").read_text())["left_out"]
    assert [(one["files"], one["kind"]) for one in left_out] == [(4, "annotation")]


def test_names_with_other_spaces(coco: Coco, tmp_path: Path) -> None:
    """As the narrow one of macOS's screenshots, and in categories one that does not break."""
    name, label = "at 9.41.00\u202fAM.jpg", "potted\u00a0plant"
    path = Path(coco.annotations)
    content = json.loads(path.read_text())
    (Path(coco.root) / content["images"][0]["file_name"]).rename(Path(coco.root) / name)
    content["images"][0]["file_name"], content["categories"][0]["name"] = name, label
    path.write_text(json.dumps(content))
    out = tmp_path / "out"
    assert main(words(coco, out, "samples=2", "sampling=random")) == 0
    catalogue = coco.check((32, 48))
    assert name in catalogue.backgrounds
    assert f"{name}-100" in catalogue.foregrounds
    assert label in catalogue.foreground_labels


def test_licences() -> None:
    assert licence_of("x", "http://creativecommons.org/licenses/by-nc-sa/2.0/") == "CC-BY-NC-SA-2.0"
    assert licence_of("x", "https://creativecommons.org/publicdomain/zero/1.0/") == "CC0-1.0"
    assert licence_of("No known copyright restrictions", "http://flickr.com/commons/usage/") == (
        "No known copyright restrictions"
    )
    assert licence_of(None, "http://host/licence") == "http://host/licence"
    assert licence_of(None, None) == ""
    assert licence_of("a\x1bb", None) == ""
    # Any space is one; a mark of direction is not.
    assert licence_of("of\u202fmy own", None) == "of my own"
    assert licence_of("of\u202emy own", None) == ""


def test_a_dataset_of_depthmask_is_cut_out_again(tmp_path: Path) -> None:
    """The commands of docs/annotated.md."""
    first, second = tmp_path / "FIRST", tmp_path / "SECOND"
    small = ["source.rooms=2", "source.furniture=3", "samples=6", "runner.workers=1"]
    words = ["writer=folder", "labels=[coco]", "size=[240,320]", *small]
    assert main([*words, f"output={first}"]) == 0
    words = [f"source.root={first / 'shards'}", f"source.annotations={first / 'coco_train.json'}"]
    more = ["source.truncated=true", "depth=none", "samples=4", "runner.workers=1"]
    assert main(["source=coco", *words, *more, f"output={second}"]) == 0
    for sample in depthmask.open(second):
        assert sample.meta["background_meta"]["file_name"].startswith("train-000000/")
        assert len(sample.meta["layers"]) == 1
