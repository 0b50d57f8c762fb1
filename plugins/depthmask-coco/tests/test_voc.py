"""`source=voc`: PNG files with numbers of objects and of classes."""

from __future__ import annotations

import time
from pathlib import Path

import made
import numpy as np
import pytest
from depthmask import AssetFolder, OnBadAsset, SettingError, UsageError
from made import HEIGHT, WIDTH
from PIL import Image

from depthmask_coco.voc import Voc


@pytest.fixture
def voc(tmp_path: Path) -> Voc:
    return Voc(root=str(made.make_voc(tmp_path)), least_area=100)


def save(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(path)


def test_masks_are_the_values(voc: Voc) -> None:
    catalogue = voc.check((48, 64))
    assert catalogue.backgrounds == tuple(f"JPEGImages/{number}.jpg" for number in (1, 2, 3))
    assert catalogue.foregrounds[:2] == ("JPEGImages/1.jpg-1", "JPEGImages/1.jpg-2")
    assert catalogue.foreground_labels == ("bird", "cat")
    files = AssetFolder(voc.root)
    for instance in voc._assets.instances.values():
        objects, _ = made.voc_values(int(instance.file[11]))
        expected = objects == instance.facts["object"]
        assert np.array_equal(instance.shape.mask((HEIGHT, WIDTH), files) == 1, expected)
        rows, columns = np.nonzero(expected)
        assert instance.shape.box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        assert instance.shape.area == expected.sum()


def test_a_list(voc: Voc) -> None:
    voc.image_set = "train"
    assert voc.check((48, 64)).backgrounds == ("JPEGImages/1.jpg", "JPEGImages/2.jpg")
    voc.image_set = "../../secret"
    with pytest.raises(UsageError, match="leads out of its folder"):
        voc.check((48, 64))
    voc.image_set = "nowhere"
    with pytest.raises(UsageError, match=r"Segmentation/nowhere\.txt: no such file"):
        voc.check((48, 64))


def test_a_list_of_names_that_are_no_text(voc: Voc) -> None:
    (Path(voc.root) / "ImageSets/Segmentation/train.txt").write_text("1\n2\x1b[2J\n")
    voc.image_set, voc.on_bad_asset = "train", OnBadAsset.skip
    (one,) = voc.check((48, 64)).left_out
    assert one.file.endswith("SegmentationObject/2\\x1b[2J.png")
    assert one.reason == "not a name of a file; it must be a text of one line"


def test_metadata(voc: Voc) -> None:
    voc.check((48, 64))
    one = voc.foreground("JPEGImages/2.jpg-2", (48, 64))
    assert one.label == "bird"
    assert one.meta == {"file_name": "JPEGImages/2.jpg", "object": 2}


def test_looks_are_kept_until_either_png_changes(voc: Voc, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file that has just been written may change again without a new time.
    time.sleep(2.2)
    first = voc.check((48, 64)).digest
    read: list[str] = []
    values = AssetFolder.values

    def counted(self: AssetFolder, name: str, data: bytes | None = None) -> np.ndarray:
        read.append(name)
        return values(self, name, data)

    monkeypatch.setattr(AssetFolder, "values", counted)
    assert voc.check((48, 64)).digest == first
    assert read == []
    path = Path(voc.root) / "SegmentationClass/2.png"
    classes = np.asarray(Image.open(path)).copy()
    classes[classes == 8] = 9
    save(path, classes)
    changed = voc.check((48, 64))
    assert sorted(read) == ["SegmentationClass/2.png", "SegmentationObject/2.png"]
    assert changed.digest != first
    assert changed.foreground_labels == ("bird", "cat", "chair")


# fmt: off
BAD = {
    "size": ("SegmentationObject/2.png", np.ones((5, 6), np.uint8), "5x6, but its classes are 96x"),
    "colours": ("SegmentationObject/2.png", np.ones((96, 128, 3), np.uint8), "mode RGB"),
    "classes of colours": ("SegmentationClass/2.png", np.ones((96, 128, 3), np.uint8),
                           r"SegmentationClass/2\.png: mode RGB"),
    "class 77": ("SegmentationClass/2.png", np.full((96, 128), 77, np.uint8),
                 r"object 1: has the class 77; source\.names has 20"),
    "class 0": ("SegmentationClass/2.png", np.zeros((96, 128), np.uint8), "1: has the class 0"),
    "two classes": ("SegmentationClass/2.png",
                    (np.indices((96, 128)).sum(axis=0) % 2 + 1).astype(np.uint8),
                    r"object 1: only 50% of it are of one class"),
}
# fmt: on


@pytest.mark.parametrize(("name", "values", "reason"), BAD.values(), ids=BAD)
def test_bad_files(voc: Voc, name: str, values: np.ndarray, reason: str) -> None:
    save(Path(voc.root) / name, values)
    with pytest.raises(UsageError, match=rf"SegmentationObject/2\.png: .*{reason}"):
        voc.check((48, 64))
    voc.on_bad_asset = OnBadAsset.skip
    assert len(voc.check((48, 64)).foregrounds) == 4


def test_missing_files(voc: Voc) -> None:
    root = Path(voc.root)
    (root / "SegmentationClass/1.png").unlink()
    (root / "JPEGImages/2.jpg").unlink()
    (root / "SegmentationObject/3.png").write_bytes(b"no PNG")
    with pytest.raises(UsageError) as caught:
        voc.check((48, 64))
    lines = str(caught.value).splitlines()
    assert [line.strip().removeprefix(f"{root}/").split(":")[0] for line in lines] == [
        "SegmentationObject/1.png",
        "SegmentationObject/3.png",
        "JPEGImages/2.jpg",
    ]


def test_no_voc(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"SegmentationObject: no such folder; source\.root needs"):
        Voc(root=str(tmp_path)).check((48, 64))


def test_suffixes_in_capitals_and_hidden_files(voc: Voc) -> None:
    root = Path(voc.root)
    first = voc.check((48, 64))
    names = ("SegmentationObject/1.png", "SegmentationClass/2.png", "JPEGImages/3.jpg")
    for name in names:
        (root / name).rename((root / name).with_suffix(Path(name).suffix.upper()))
    (root / "SegmentationObject/._1.png").write_bytes(b"x")
    catalogue = voc.check((48, 64))
    assert catalogue.left_out == ()
    assert [one.lower() for one in catalogue.foregrounds] == [
        one.lower() for one in first.foregrounds
    ]
    assert catalogue.backgrounds[2] == "JPEGImages/3.JPG"
    voc.image_set = "train"
    assert len(voc.check((48, 64)).foregrounds) == 4


def test_a_list_with_a_byte_order_mark(voc: Voc) -> None:
    path = Path(voc.root) / "ImageSets/Segmentation/train.txt"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    voc.image_set = "train"
    assert len(voc.check((48, 64)).foregrounds) == 4


def test_long_names_of_a_list_are_short_in_messages(voc: Voc) -> None:
    (Path(voc.root) / "ImageSets/Segmentation/train.txt").write_text(f"{'a' * 3000}\n")
    voc.image_set = "train"
    with pytest.raises(UsageError) as caught:
        voc.check((48, 64))
    assert max(map(len, str(caught.value).splitlines())) < 500


@pytest.mark.parametrize("name", ["", " ", "a\nb"])
def test_names_that_are_no_labels(name: str) -> None:
    with pytest.raises(SettingError, match=r"^names=.* must be texts of one line, none empty"):
        Voc(root="x", names=["cat", name])


def test_both_files_are_kept(voc: Voc) -> None:
    root = Path(voc.root)
    save(root / "SegmentationObject/1.png", np.ones((5, 6), np.uint8))
    save(root / "SegmentationClass/2.png", np.full((HEIGHT, WIDTH), 77, np.uint8))
    voc.on_bad_asset = OnBadAsset.quarantine
    kept = [one for left_out in voc.check((48, 64)).left_out for one in left_out.copies]
    assert [str(one.relative_to(root)) for one in kept] == [
        "SegmentationObject/1.png",
        "SegmentationClass/1.png",
        "SegmentationObject/2.png",
        "SegmentationClass/2.png",
    ]
