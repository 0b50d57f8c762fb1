"""Annotations that cannot be used: one line names the file, the entry and the reason."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made
import numpy as np
import pytest
from depthmask import OnBadAsset, UsageError
from depthmask.cli.main import main
from PIL import Image

from depthmask_coco.coco import Coco

Content = dict[str, Any]
Change = Callable[[Content], object]


def annotation(content: Content, number: int = 0) -> Any:
    """100: a disk of polygons, 101: a star as compressed RLE, 102: a box as uncompressed RLE."""
    return content["annotations"][number]


def shape(content: Content, number: int = 0) -> Any:
    return annotation(content, number)["segmentation"]


def put(at: Callable[[Content], Any], key: object, value: object) -> Change:
    return lambda content: at(content).__setitem__(key, value)


def drop(at: Callable[[Content], Any], key: str) -> Change:
    return lambda content: at(content).pop(key)


def image(content: Content) -> Any:
    return content["images"][0]


def category(content: Content) -> Any:
    return content["categories"][0]


def star(content: Content) -> Any:
    return shape(content, 1)


def box(content: Content) -> Any:
    return shape(content, 2)


def disk(content: Content) -> Any:
    return shape(content)[0]


NAN, INF = float("nan"), float("inf")
# fmt: off
# What is changed, and how the line about it goes on after the file's name.
ENTRIES: dict[str, tuple[Change, str]] = {
    "no object": (put(lambda one: one["annotations"], 0, 7), r"annotations\[0\]: 7 is no object"),
    "no id": (drop(annotation, "id"), r"annotations\[0\]: its id is None"),
    "id of another kind": (put(annotation, "id", [1]), r"annotations\[0\]: its id is \[1\]"),
    "id true": (put(annotation, "id", True), r"annotations\[0\]: its id is True"),
    "id of another type": (put(annotation, "id", "101"),
                           r"annotation 101: another annotation has its key '000.*\.jpg-101'"),
    "id twice": (put(annotation, "id", 101), r"annotation 101: others have the same id"),
    "no image": (drop(annotation, "image_id"), r"annotation 100: refers to the image None"),
    "missing image": (put(annotation, "image_id", 77), r"annotation 100: refers to the image 77"),
    "missing category": (put(annotation, "category_id", 3), r"annotation 100: .* category 3"),
    "category of a list": (put(annotation, "category_id", []), r"annotation 100: .* \[\]"),
    "strange crowd": (put(annotation, "iscrowd", "no"), r"annotation 100: its iscrowd is 'no'"),
    "no segmentation": (drop(annotation, "segmentation"), r"annotation 100: it has no segm"),
    "empty": (put(annotation, "segmentation", []), r"annotation 100: its segmentation is empty"),
    "text": (put(annotation, "segmentation", "x"), r"annotation 100: its segmentation is 'x'"),
    "two points": (put(shape, 0, [1, 2, 3, 4]), r"annotation 100: a polygon has 4 numbers"),
    "odd": (put(shape, 0, [1, 2, 3, 4, 5, 6, 7]), r"annotation 100: a polygon has 7 numbers"),
    "empty polygon": (put(shape, 0, []), r"annotation 100: a polygon has 0 numbers"),
    "NaN": (put(disk, 3, NAN), r"annotation 100: a polygon has numbers that are not finite"),
    "infinity": (put(disk, 3, INF), r"annotation 100: a polygon has numbers that are not finite"),
    "text in a polygon": (put(disk, 3, "1"), r"annotation 100: its segmentation has \["),
    "null in a polygon": (put(disk, 3, None), r"annotation 100: its segmentation has \["),
    "polygon of objects": (put(shape, 0, {}), r"annotation 100: its segmentation has {}"),
    "negative": (put(disk, 2, -300.0), r"annotation 100: its segmentation reaches 300 pixels"),
    "far": (put(disk, 2, 1e300), r"annotation 100: a polygon has the number 1e\+300; the m"),
    "line": (put(annotation, "segmentation", [[9, 9, 60, 60, 9, 9]]), r"annotation 100: .* empty"),
    "beside": (put(annotation, "segmentation", [[-1.9, 20, -0.6, 20, -0.6, 60, -1.9, 60]]),
               r"annotation 100: .* empty"),
    "nearly beside": (put(annotation, "segmentation", [[-1.9, 20, 0.2, 20, 0.2, 60, -1.9, 60]]),
                      r"annotation 100: .* empty"),
    "between rows": (put(annotation, "segmentation", [[9, 20.6, 60, 20.6, 60, 21.4, 9, 21.4]]),
                     r"annotation 100: .* empty"),
    "box outside": (put(annotation, "bbox", [500, 2, 9, 9]), r"annotation 100: its bbox reaches"),
    "negative box": (put(annotation, "bbox", [5, 2, -9, 9]), r"annotation 100: its bbox is \[5, 2"),
    "NaN box": (put(annotation, "bbox", [5, NAN, 9, 9]), r"annotation 100: its bbox is \[5, nan"),
    "box of three": (put(annotation, "bbox", [5, 2, 9]), r"annotation 100: its bbox is \[5, 2, 9"),
    "box of texts": (put(annotation, "bbox", ["5", 2, 9, 9]), r"annotation 100: its bbox is \['5'"),
    "RLE size": (put(star, "size", [9, 9]), r"annotation 101: its RLE has the size \[9, 9\]"),
    "RLE of gigabytes": (put(star, "size", [10**9, 10**9]), r"annotation 101: its RLE has the"),
    "RLE without size": (drop(star, "size"), r"annotation 101: its RLE has the size None"),
    "RLE cut": (lambda one: star(one).update(counts=star(one)["counts"][:-3]),
                r"annotation 101: its RLE cannot be used"),
    "RLE of others": (put(star, "counts", "\x7f\x01"), r"annotation 101: .* other characters"),
    "RLE accents": (put(star, "counts", "äöü"), r"annotation 101: .* other characters"),
    "RLE counts null": (put(star, "counts", None), r"annotation 101: .* counts are None"),
    "runs too short": (put(box, "counts", [5, 6]), r"annotation 102: .* the runs have 11 pixels"),
    "runs too long": (put(box, "counts", [2**60, 2**60]), r"annotation 102: .* or more pixels"),
    "runs of 1e30": (put(box, "counts", [10**30]), r"annotation 102: its RLE cannot be used"),
    "negative run": (put(box, "counts", [-5, 12293]), r"annotation 102: .* shorter than nothing"),
    "runs of floats": (put(box, "counts", [1.5, 2]), r"annotation 102: .* counts are \[1.5, 2\]"),
    "no run": (put(box, "counts", []), r"annotation 102: its RLE cannot be used: no runs"),
    "RLE of nothing": (put(box, "counts", [made.HEIGHT * made.WIDTH]), r"annotation 102: .* empty"),
    "image no object": (put(lambda one: one["images"], 0, None), r"images\[0\]: None is no object"),
    "image id twice": (put(image, "id", 2), r"image 2: others have the same id"),
    "image without size": (drop(image, "height"), r"image 1: its height and width are"),
    "image of 0": (put(image, "width", 0), r"image 1: its height and width are \(96, 0\)"),
    "image of floats": (put(image, "width", 128.0), r"image 1: its height and width are"),
    "image too large": (put(image, "width", 10**9), r"image 1: .* is more than 100,000,000 pixels"),
    "no file name": (drop(image, "file_name"), r"image 1: its file_name is None"),
    "file name twice": (put(image, "file_name", "000000000002.jpg"), r"image 2: another image has"),
    "category without name": (drop(category, "name"), r"category 1: its name is None"),
    "category of lines": (put(category, "name", "a\nb"), r"category 1: its name is 'a\\nb'"),
    "category twice": (put(category, "id", 7), r"category 7: others have the same id"),
}
# What the line says after the folder of the photographs.
PHOTOGRAPHS: dict[str, tuple[Change, str]] = {
    "missing": (put(image, "file_name", "none.jpg"), r"none\.jpg: image 1: no such file"),
    "another size": (put(image, "file_name", "small.jpg"), r"small\.jpg: image 1: 9x12, but its"),
    "up": (put(image, "file_name", "../secret.jpg"), r".*: image 1: leads out of its folder"),
    "absolute": (put(image, "file_name", "/etc/passwd"), r".*: image 1: leads out of its folder"),
    "hidden up": (put(image, "file_name", "a/../../b.jpg"), r".*: image 1: leads out of its"),
    "backslash": (put(image, "file_name", "..\\a.jpg"), r".*: image 1: leads out of its folder"),
    "URL": (put(image, "file_name", "http://host/a.jpg"), r".*: image 1: a URL"),
    "empty": (put(image, "file_name", ""), r".*: image 1: not a name of a file"),
    "control": (put(image, "file_name", "a\x1b[2J.jpg"), r".*: image 1: not a name of a file"),
    "NUL": (put(image, "file_name", "a\0.jpg"), r".*: image 1: not a name of a file"),
    "folder": (put(image, "file_name", "folder"), r"folder: image 1: not a regular file"),
    "pipe": (put(image, "file_name", "pipe"), r"pipe: image 1: not a regular file"),
    "link out": (put(image, "file_name", "out.jpg"), r"out\.jpg: image 1: a link out"),
    "dead link": (put(image, "file_name", "dead.jpg"), r"dead\.jpg: image 1: no such file"),
    "circle": (put(image, "file_name", "circle.jpg"), r"circle\.jpg: image 1: a link that leads"),
    "no picture": (put(image, "file_name", "text.jpg"), r"text\.jpg: image 1: not a picture of"),
    "cut": (put(image, "file_name", "cut.jpg"), r"cut\.jpg: image 1: cannot be decoded"),
}
# fmt: on
FILES = {
    "nothing": (b"", "no JSON"),
    "no JSON": (b"{", "no JSON"),
    "NaN and no JSON": (b'{"a": NaN', "no JSON"),
    "deep": (b"[" * 100_000, "no JSON"),
    "deep with NaN": (b"[NaN," * 100_000, "no JSON"),
    "no UTF-8": (b'{"images": "\xff\xfe"}', "no JSON"),
    "a list": (b"[]", "no COCO file: it is no object with images, annotations, categories"),
    "a number": (b"7", "no COCO file: it is no object"),
    "no annotations": (b'{"images": [], "categories": []}', "it has no list 'annotations'"),
    "captions": (b'{"images": [], "annotations": []}', "it has no list 'categories'"),
    "images of a map": (b'{"images": {}, "annotations": [], "categories": []}', "no list 'images'"),
}


def make(folder: Path, change: Change) -> Coco:
    pictures, path = made.make_coco(folder)
    (pictures / "folder").mkdir()
    os.mkfifo(pictures / "pipe")
    (folder / "outside.jpg").write_bytes((pictures / "000000000001.jpg").read_bytes())
    (pictures / "out.jpg").symlink_to(folder / "outside.jpg")
    (pictures / "dead.jpg").symlink_to("nowhere.jpg")
    (pictures / "circle.jpg").symlink_to("circle.jpg")
    Image.fromarray(np.zeros((9, 12, 3), np.uint8)).save(pictures / "small.jpg")
    (pictures / "text.jpg").write_text("no picture")
    (pictures / "cut.jpg").write_bytes((pictures / "000000000002.jpg").read_bytes()[:900])
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return Coco(root=str(pictures), annotations=str(path), least_area=100)


@pytest.mark.parametrize(("change", "line"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_that_cannot_be_used(tmp_path: Path, change: Change, line: str) -> None:
    source = make(tmp_path, change)
    with pytest.raises(UsageError, match=rf"^\S+instances\.json: {line}") as caught:
        source.check((32, 48))
    assert "source.on_bad_asset=skip leaves out what cannot be used" in str(caught.value)


@pytest.mark.parametrize(("change", "line"), PHOTOGRAPHS.values(), ids=PHOTOGRAPHS)
def test_a_photograph_that_cannot_be_used(tmp_path: Path, change: Change, line: str) -> None:
    source = make(tmp_path, change)
    with pytest.raises(UsageError, match=rf"^\S+/pictures/{line}"):
        source.check((32, 48))


@pytest.mark.parametrize(("change", "line"), [*ENTRIES.values(), *PHOTOGRAPHS.values()],
                         ids=[*ENTRIES, *PHOTOGRAPHS])  # fmt: skip
def test_it_is_left_out_and_named(tmp_path: Path, change: Change, line: str) -> None:
    source = make(tmp_path, change)
    source.on_bad_asset = OnBadAsset.quarantine
    catalogue = source.check((32, 48))
    # One of three categories, or one of four photographs, is lost at most.
    assert len(catalogue.foregrounds) >= 4
    assert any(re.search(line, f"{one.file}: {one.reason}") for one in catalogue.left_out)
    for key in catalogue.foregrounds[:3]:
        source.foreground(key, (32, 48))


@pytest.mark.parametrize(("content", "line"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_coco_file(tmp_path: Path, content: bytes, line: str) -> None:
    pictures, path = made.make_coco(tmp_path, 1)
    path.write_bytes(content)
    source = Coco(root=str(pictures), annotations=str(path))
    with pytest.raises(UsageError, match=rf"instances\.json: .*{line}") as caught:
        source.check((32, 48))
    assert "\n" not in str(caught.value)


LARGE: dict[str, tuple[Change, str]] = {
    "id": (put(annotation, "id", 2**70), r"annotations\[0\]: its id is 1180591620717411303424;"),
    "image": (put(image, "id", 2**70), r"images\[0\]: its id is 1180591620717411303424;"),
    "polygon": (put(disk, 3, 10**400), r"annotation 100: a polygon has the number 10+\.\.\.0+; "),
    "box": (
        put(annotation, "bbox", [10**400, 1, 1, 1]),
        r"annotation 100: its bbox is \[10+\.\.\.",
    ),
    "area": (put(annotation, "area", 10**400), r"annotation 101: its bbox is \['NaN'\]"),
    "height": (put(image, "height", 10**4000), r"image 1: 10+\.\.\.0+x128 is more than"),
    "run": (put(box, "counts", [10**400]), r"annotation 102: its RLE cannot be used"),
}


@pytest.mark.parametrize("policy", [OnBadAsset.fail, OnBadAsset.quarantine])
@pytest.mark.parametrize(("change", "line"), LARGE.values(), ids=LARGE)
def test_large_integers_where_there_is_nan(
    tmp_path: Path, change: Change, line: str, policy: OnBadAsset
) -> None:
    """Only Python's own parser, which reads NaN, makes integers of any size."""
    source = make(tmp_path, change)
    path = Path(source.annotations)
    content = json.loads(path.read_text()) | {"info": NAN}
    content["annotations"][1]["bbox"] = ["NaN"]
    path.write_text(json.dumps(content))
    source.on_bad_asset = policy
    if policy is OnBadAsset.fail:
        with pytest.raises(UsageError, match=line) as caught:
            source.check((32, 48))
        assert max(map(len, str(caught.value).splitlines())) < 400
    else:
        texts = [f"{one.file}: {one.reason}" for one in source.check((32, 48)).left_out]
        assert any(re.search(line, text) for text in texts)
        assert max(map(len, texts)) < 400


def test_two_annotations_with_one_key(tmp_path: Path) -> None:
    def change(content: Content) -> None:
        content["images"][1]["file_name"] = "000000000001.jpg-1"
        content["annotations"][0]["id"] = "1-2"
        content["annotations"][4]["id"] = 2

    source = make(tmp_path, change)
    pictures = Path(source.root)
    (pictures / "000000000002.jpg").rename(pictures / "000000000001.jpg-1")
    line = (
        r"annotation 2: another annotation has its key '000000000001\.jpg-1-2'; give it another id"
    )
    with pytest.raises(UsageError, match=rf"instances\.json: {line}"):
        source.check((32, 48))
    source.on_bad_asset = OnBadAsset.skip
    assert len(source.check((32, 48)).foregrounds) == 11


def test_names_with_dots_that_lead_nowhere_else(tmp_path: Path) -> None:
    source = make(tmp_path, put(image, "file_name", "./000000000001.jpg"))
    assert "000000000001.jpg-100" in source.check((32, 48)).foregrounds


def test_a_byte_order_mark(coco: Coco) -> None:
    first = coco.check((32, 48)).foregrounds
    path = Path(coco.annotations)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert coco.check((32, 48)).foregrounds == first


def test_the_command_prints_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = make(tmp_path, put(disk, 3, NAN))
    words = [
        "source=coco",
        f"source.root={source.root}",
        f"source.annotations={source.annotations}",
    ]
    assert main([*words, f"output={tmp_path / 'out'}", "depth=none"]) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"error: {source.annotations}: annotation 100: a polygon has numbers that are not finite; "
        "source.on_bad_asset=skip leaves out what cannot be used\n"
    )
    assert not (tmp_path / "out").exists()


def test_what_is_left_out_is_kept(tmp_path: Path) -> None:
    source = make(tmp_path, put(image, "file_name", "cut.jpg"))
    words = [
        "source=coco",
        f"source.root={source.root}",
        f"source.annotations={source.annotations}",
    ]
    words += ["source.on_bad_asset=quarantine", "source.least_area=100", "samples=2", "depth=none"]
    assert main([*words, f"output={tmp_path / 'out'}", "runner.workers=1"]) == 0
    kept = [one.name for one in (tmp_path / "out" / "quarantine").rglob("*") if one.is_file()]
    assert "cut.jpg" in kept


def test_an_annotation_that_is_left_out_is_kept_by_its_name(tmp_path: Path) -> None:
    source = make(tmp_path, put(disk, 3, NAN))
    source.on_bad_asset = OnBadAsset.quarantine
    (one,) = [one for one in source.check((32, 48)).left_out if one.contents]
    ((name, content),) = one.contents.items()
    assert name == "annotations/0-instances-annotation-100.json"
    assert json.loads(content)["id"] == 100


def test_other_backgrounds_that_are_left_out_are_kept(tmp_path: Path, coco: Coco) -> None:
    walls = tmp_path / "walls"
    walls.mkdir()
    Image.new("RGB", (64, 48)).save(walls / "good.png")
    (walls / "bad.jpg").write_bytes(b"no picture")
    (walls / "out.jpg").symlink_to(Path(coco.root) / "000000000001.jpg")
    coco.backgrounds_root, coco.on_bad_asset = str(walls), OnBadAsset.quarantine
    left_out = {Path(one.file).name: one for one in coco.check((32, 48)).left_out}
    assert left_out["bad.jpg"].copies == (walls / "bad.jpg",)
    assert left_out["out.jpg"].copies == ()


def test_nothing_that_can_be_used(tmp_path: Path) -> None:
    pictures, path = made.make_coco(tmp_path, 2)
    source = Coco(root=str(pictures), annotations=str(path), least_area=10**6)
    with pytest.raises(UsageError, match=r"no object that can be used \(.*6 smaller than source"):
        source.check((32, 48))
    source = Coco(root=str(pictures), annotations=str(path), categories=["disc"])
    with pytest.raises(
        UsageError, match=r"^source\.categories=disc: no category .* did you mean disk\?"
    ):
        source.check((32, 48))


def test_a_photograph_that_changes_ends_the_run(coco: Coco) -> None:
    coco.check((32, 48))
    name = coco.backgrounds()[0]
    key = next(one for one in coco.foregrounds() if one.startswith(name))
    Image.fromarray(np.zeros((made.HEIGHT, made.WIDTH, 3), np.uint8)).save(Path(coco.root) / name)
    with pytest.raises(Exception, match=r"000000000001\.jpg: changed since the run looked at it"):
        coco.foreground(key, (32, 48))
