"""What is left out is counted as what it is: a file, or an annotation in one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import made
import numpy as np
from depthmask import OnBadAsset, Size
from PIL import Image

from depthmask_coco._source import InstanceSource
from depthmask_coco.coco import Coco
from depthmask_coco.voc import Voc
from depthmask_coco.yolo import Yolo

SIZE: Size = (48, 64)


def counts(source: InstanceSource) -> dict[str, int]:
    """How many are left out of each kind, the same with both ways of leaving them out."""
    every = []
    for way in (OnBadAsset.skip, OnBadAsset.quarantine):
        source.on_bad_asset, found = way, Counter[str]()
        for one in source.check(SIZE).left_out:
            found[one.kind] += one.files
        every.append(dict(found))
    assert every[0] == every[1]
    return every[0]


def test_of_coco(coco: Coco) -> None:
    """A photograph is missing, and an annotation is at fault: its three others are lost, too."""
    path = Path(coco.annotations)
    content = json.loads(path.read_text())
    content["annotations"] = [one for one in content["annotations"] if not one["iscrowd"]]
    content["annotations"][-1]["category_id"] = 77
    path.write_text(json.dumps(content))
    assert counts(coco) == {"annotation": 1}
    (Path(coco.root) / content["images"][0]["file_name"]).unlink()
    assert counts(coco) == {"file": 1, "annotation": 1 + 3}


def test_of_voc(tmp_path: Path) -> None:
    """Each object of a class that has no name is an annotation; a file that is no PNG is one."""
    root = made.make_voc(tmp_path)
    voc = Voc(root=str(root), least_area=100)
    assert counts(voc) == {}
    (root / "SegmentationObject/1.png").write_bytes(b"no PNG")
    assert counts(voc) == {"file": 1}
    path = root / "SegmentationClass/2.png"
    image = Image.open(path)
    values = np.array(Image.open(root / "SegmentationObject/2.png"))
    objects = len({*values.ravel().tolist()} - {0, 255})
    assert objects > 1
    new = Image.new("P", image.size, 77)
    new.putpalette(image.getpalette() or [])
    new.save(path)
    assert counts(voc) == {"file": 1, "annotation": objects}


def test_of_yolo(tmp_path: Path) -> None:
    root = made.make_yolo(tmp_path, 4)
    yolo = Yolo(root=str(root), least_area=100)
    assert counts(yolo) == {}
    labels = root / "labels/train"
    first, second = sorted(labels.iterdir())[:2]
    first.write_bytes(b"\xff\xfe\xff")
    assert counts(yolo) == {"file": 1}
    second.write_text(second.read_text() + "0 .1 .2\n")
    assert counts(yolo) == {"file": 1, "annotation": 1}


def test_of_other_backgrounds(coco: Coco, tmp_path: Path) -> None:
    walls = tmp_path / "walls"
    walls.mkdir()
    Image.new("RGB", (64, 48)).save(walls / "good.png")
    (walls / "bad.png").write_bytes(b"no PNG")
    coco.backgrounds_root, coco.crowd = str(walls), True
    assert counts(coco) == {"file": 1}


def test_a_name_is_shown_as_it_is(coco: Coco) -> None:
    """With any space, as in the names of macOS's screenshots; not with what acts unseen."""
    path = Path(coco.annotations)
    content = json.loads(path.read_text())
    names = ("9.41\u202fAM.jpg", "a\u202eb.jpg")
    for image, name in zip(content["images"], names, strict=False):
        image["file_name"] = name
    path.write_text(json.dumps(content))
    coco.on_bad_asset = OnBadAsset.skip
    shown = " ".join(f"{one.file}: {one.reason}" for one in coco.check(SIZE).left_out)
    assert f"{coco.root}/9.41\u202fAM.jpg: image 1: no such file" in shown
    assert "\u202e" not in shown
    assert "a\\u202eb.jpg" in shown
