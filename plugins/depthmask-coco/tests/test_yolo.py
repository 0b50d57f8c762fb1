"""`source=yolo`: text files with polygons beside `data.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made
import numpy as np
import pytest
from depthmask import AssetFolder, OnBadAsset, SettingError, UsageError
from made import HEIGHT, WIDTH
from PIL import Image

from depthmask_coco.yolo import Yolo


@pytest.fixture
def yolo(tmp_path: Path) -> Yolo:
    return Yolo(root=str(made.make_yolo(tmp_path)), least_area=100)


def test_masks_are_those_of_the_polygons(yolo: Yolo) -> None:
    catalogue = yolo.check((48, 64))
    assert catalogue.backgrounds == tuple(f"images/train/{number}.jpg" for number in (1, 2, 3))
    assert catalogue.foregrounds[:2] == ("images/train/1.jpg-1", "images/train/1.jpg-2")
    for instance in yolo._assets.instances.values():
        polygons = made.yolo_polygons(int(instance.file[13]))
        expected = made.filled([polygons[instance.label == "star"]]) == 1
        mask = instance.shape.mask((HEIGHT, WIDTH), AssetFolder(yolo.root)) == 1
        assert (mask & expected).sum() >= 0.99 * (mask | expected).sum()


def test_parts(yolo: Yolo) -> None:
    yolo.parts = ["val"]
    assert yolo.check((48, 64)).backgrounds == ("images/val/4.jpg",)
    yolo.parts = ["train", "val"]
    assert len(yolo.check((48, 64)).foregrounds) == 8
    yolo.parts = ["test"]
    with pytest.raises(UsageError, match=r"data\.yaml: test is None; expected a folder"):
        yolo.check((48, 64))
    with pytest.raises(SettingError, match="must be some of train, val, test"):
        Yolo(root=yolo.root, parts=["all"])


def test_a_list_of_photographs(yolo: Yolo) -> None:
    root = Path(yolo.root)
    (root / "train.txt").write_text("./images/train/1.jpg\nimages/val/4.jpg\n\n")
    (root / "data.yaml").write_text("train: train.txt\nnames: [disk, star]\n")
    assert yolo.check((48, 64)).backgrounds == ("images/train/1.jpg", "images/val/4.jpg")


def test_metadata(yolo: Yolo) -> None:
    yolo.check((48, 64))
    one = yolo.foreground("images/train/2.jpg-2", (48, 64))
    assert one.label == "star"
    assert one.meta == {"file_name": "images/train/2.jpg", "line": 2}


def test_a_photograph_without_labels_is_a_background(yolo: Yolo) -> None:
    (Path(yolo.root) / "labels/train/1.txt").unlink()
    catalogue = yolo.check((48, 64))
    assert len(catalogue.backgrounds) == 3
    assert len(catalogue.foregrounds) == 4


LINES = {
    "box": ("0 0.5 0.5 0.1 0.1", "it has no polygon; a box alone"),
    "text": ("0 a b c d e f", "is no class with coordinates"),
    "float class": ("0.0 .1 .1 .5 .1 .5 .5", "is no class with coordinates"),
    "class": ("7 .1 .1 .5 .1 .5 .5", "refers to the class 7, which is missing in names"),
    "negative class": ("-1 .1 .1 .5 .1 .5 .5", "refers to the class -1"),
    "NaN": ("0 nan .1 .5 .1 .5 .5", "numbers that are not finite"),
    "infinity": ("0 inf .1 .5 .1 .5 .5", "numbers that are not finite"),
    "odd": ("0 .1 .1 .5 .1 .5 .5 .3", "a polygon has 7 numbers"),
    "nothing": ("0", "a polygon has 0 numbers"),
    "pixels": ("0 10 10 50 10 50 50", "its segmentation reaches 49 pixels beyond"),
    "negative": ("0 -.5 .1 .5 .1 .5 .5", "its segmentation reaches 0.5 pixels beyond"),
    "line": ("0 .1 .1 .5 .5 .1 .1", "is empty, or thinner than half a pixel"),
}


@pytest.mark.parametrize(("line", "reason"), LINES.values(), ids=LINES)
def test_bad_lines(yolo: Yolo, line: str, reason: str) -> None:
    path = Path(yolo.root) / "labels/train/2.txt"
    path.write_text(f"{path.read_text()}{line}\n")
    with pytest.raises(UsageError, match=rf"labels/train/2\.txt: line 3: .*{reason}"):
        yolo.check((48, 64))
    yolo.on_bad_asset = OnBadAsset.quarantine
    catalogue = yolo.check((48, 64))
    assert len(catalogue.foregrounds) == 6
    assert len(catalogue.left_out) == 1


def test_a_polygon_beside_the_photograph(yolo: Yolo) -> None:
    """Up to a hundredth of the width is accepted beyond the photograph, and has no pixel there."""
    path = Path(yolo.root) / "labels/train/2.txt"
    path.write_text(f"{path.read_text()}0 -.009 .1 -.001 .1 -.001 .9 -.009 .9\n")
    yolo.truncated, yolo.least_area, yolo.on_bad_asset = True, 1, OnBadAsset.skip
    catalogue = yolo.check((48, 64))
    assert [one.file.rpartition("/")[2] for one in catalogue.left_out] == ["2.txt: line 3"]
    for key in catalogue.foregrounds:
        yolo.foreground(key, (48, 64))


def test_a_polygon_that_crosses_itself(yolo: Yolo) -> None:
    path = Path(yolo.root) / "labels/train/2.txt"
    path.write_text(f"{path.read_text()}1 .1 .1 .6 .6 .6 .1 .1 .6\n")
    assert "images/train/2.jpg-3" in yolo.check((48, 64)).foregrounds
    shape = yolo._assets.instances["images/train/2.jpg-3"].shape
    _, area = shape.scaled((HEIGHT, WIDTH))
    assert area == shape.mask((HEIGHT, WIDTH), AssetFolder(yolo.root)).sum()
    assert area == pytest.approx(HEIGHT * WIDTH / 8, rel=0.05)


def test_sub_folders_and_other_formats(yolo: Yolo) -> None:
    root = Path(yolo.root)
    pictures, labels = root / "images/train", root / "labels/train"
    (pictures / "day/._hidden").mkdir(parents=True)
    (labels / "day").mkdir()
    Image.open(pictures / "1.jpg").save(pictures / "day/a.BMP")
    Image.open(pictures / "1.jpg").save(pictures / "day/b.tif")
    (labels / "day/a.txt").write_text((labels / "1.txt").read_text())
    for name in ("c.heic", "d.HEIC", "._a.jpg", "day/notes.txt", "day/._hidden/e.jpg"):
        (pictures / name).write_bytes(b"x")
    (pictures / "linked").symlink_to(root / "images/val")
    catalogue = yolo.check((48, 64))
    names = ("1.jpg", "2.jpg", "3.jpg", "day/a.BMP", "day/b.tif")
    assert catalogue.backgrounds == tuple(f"images/train/{one}" for one in names)
    assert "images/train/day/a.BMP-1" in catalogue.foregrounds
    assert {(one.file, one.reason, one.files) for one in catalogue.left_out} == {
        ("images/train", ".heic; save pictures as JPEG or PNG", 2),
        ("images/train", "hidden, or made by the system", 2),
        ("images/train", "a link to a folder; put the folder itself there", 1),
    }


@pytest.mark.parametrize(
    "folder", ["images//train", "images/./train", "./images/train/", ".././images/train"]
)
def test_folders_with_dots_that_lead_nowhere_else(yolo: Yolo, folder: str) -> None:
    (Path(yolo.root) / "data.yaml").write_text(f"train: {folder}\nnames: [disk, star]\n")
    assert yolo.check((48, 64)).backgrounds[0] == "images/train/1.jpg"


def test_the_root_as_the_folder(yolo: Yolo) -> None:
    (Path(yolo.root) / "data.yaml").write_text("train: .\nnames: [disk, star]\n")
    catalogue = yolo.check((48, 64))
    assert len(catalogue.backgrounds) == 4
    assert len(catalogue.foregrounds) == 8
    assert catalogue.left_out == ()


def test_byte_order_marks(yolo: Yolo) -> None:
    root = Path(yolo.root)
    names = {"train.txt": "images/train/1.jpg\n", "labels/train/1.txt": None, "data.yaml": None}
    for name, text in names.items():
        content = (root / name).read_text() if text is None else text
        content = content.replace("images/train", "train.txt") if name == "data.yaml" else content
        (root / name).write_text(f"\ufeff{content}", encoding="utf-8")
    catalogue = yolo.check((48, 64))
    assert catalogue.backgrounds == ("images/train/1.jpg",)
    assert len(catalogue.foregrounds) == 2


def test_a_line_is_kept_with_the_name_of_its_file(yolo: Yolo) -> None:
    path = Path(yolo.root) / "labels/train/2.txt"
    path.write_text(f"{path.read_text()}7 .1 .1 .5 .1 .5 .5\n")
    yolo.on_bad_asset = OnBadAsset.quarantine
    (one,) = yolo.check((48, 64)).left_out
    assert one.contents == {"annotations/0-2-line-3.txt": b"7 .1 .1 .5 .1 .5 .5"}


def test_labels_behind_a_link_are_not_kept(yolo: Yolo, tmp_path_factory: Any) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "4.txt").write_text("secret")
    (Path(yolo.root) / "labels/val/4.txt").unlink()
    (Path(yolo.root) / "labels/val").rmdir()
    (Path(yolo.root) / "labels/val").symlink_to(other)
    yolo.parts, yolo.on_bad_asset = ["train", "val"], OnBadAsset.quarantine
    (one,) = yolo.check((48, 64)).left_out
    assert one.reason.startswith("a link out of its folder")
    assert one.copies == ()


def test_long_names_and_numbers_are_short_in_messages(yolo: Yolo) -> None:
    deep = "/".join(one * 200 for one in "abcd")
    for kind, name, text in (("images", "1.jpg", ""), ("labels", "1.txt", f"{'9' * 4000} .1 .1")):
        path = Path(yolo.root) / kind / "train" / deep / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    with pytest.raises(UsageError) as caught:
        yolo.check((48, 64))
    assert max(map(len, str(caught.value).splitlines())) < 500


YAMLS = {
    "tag of true": (b"names: [x]\ntrain: !!bool foo", "a value does not fit its tag"),
    "tag of a time": (b"names: [x]\ntrain: !!timestamp foo", "a value does not fit its tag"),
    "tag of a number": (b"names: [x]\ntrain: !!int ''", "a value does not fit its tag"),
    "nothing": (b"", "no data.yaml of YOLO"),
    "list": (b"[1]", "no data.yaml of YOLO"),
    "no names": (b"train: images/train", "names is None"),
    "names of numbers": (b"train: images/train\nnames: [1]", "names has 0: 1"),
    "names by text": (b"train: images/train\nnames: {a: b}", "names has 'a': 'b'"),
    "code": (b"names: !!python/object/apply:os.system ['true']", "no YAML that can be used"),
    "bomb": (b"a: &a [1]\nb: [*a, *a]\nnames: [x]\ntrain: images/train", "it has an alias"),
    "deep": (b"[" * 20_000, "no YAML that can be used"),
    "broken": (b"names: [", "no YAML that can be used"),
    "bytes": (b"\xff\xfe\xff", "no YAML that can be used"),
    "up": (b"names: [x]\ntrain: ../../elsewhere", "leads out of its folder"),
    "absolute": (b"names: [x]\ntrain: /etc", "leads out of its folder"),
    "URL": (b"names: [x]\ntrain: https://host/images", "a URL"),
    "missing": (b"names: [x]\ntrain: images/nowhere", "no such folder below"),
    "number": (b"names: [x]\ntrain: 7", "train is 7; expected a folder of images"),
}


@pytest.mark.parametrize(("content", "reason"), YAMLS.values(), ids=YAMLS)
def test_bad_yaml(yolo: Yolo, content: bytes, reason: str) -> None:
    (Path(yolo.root) / "data.yaml").write_bytes(content)
    with pytest.raises(UsageError, match=rf"data\.yaml: .*{reason}") as caught:
        yolo.check((48, 64))
    assert "\n" not in str(caught.value)


def test_a_link_out_of_the_root(yolo: Yolo, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "secret.jpg").write_bytes(b"x")
    (Path(yolo.root) / "images/more").symlink_to(other)
    (Path(yolo.root) / "data.yaml").write_text("names: [x]\ntrain: images/more")
    with pytest.raises(UsageError, match=r"'images/more': no such folder below"):
        yolo.check((48, 64))


def test_labels_that_are_no_text(yolo: Yolo) -> None:
    (Path(yolo.root) / "labels/train/2.txt").write_bytes(b"0 \xff\xfe")
    with pytest.raises(UsageError, match=r"labels/train/2\.txt: no UTF-8 text"):
        yolo.check((48, 64))


def test_changed_labels_are_another_digest(yolo: Yolo) -> None:
    first = yolo.check((48, 64)).digest
    path = Path(yolo.root) / "labels/train/2.txt"
    path.write_text(path.read_text().replace("0.", "0.0", 1))
    assert yolo.check((48, 64)).digest != first


def test_mirrored_polygons(yolo: Yolo) -> None:
    """Pixels of the mask are in their photograph."""
    yolo.check((48, 64))
    for key in yolo.foregrounds():
        assert np.any(yolo.foreground(key, (48, 64)).rgba[..., 3] == 255)
