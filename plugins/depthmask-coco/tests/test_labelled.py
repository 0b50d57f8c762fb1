"""Backgrounds that are labelled already: their own instances are in the labels of samples."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import depthmask
import made
import numpy as np
import pytest
from depthmask import OnBadAsset, SettingError, UsageError
from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.engine.display import Silent
from depthmask.engine.from_config import job_from_config
from depthmask.engine.run import run_job
from depthmask.reports.dataset.page import report
from made import HEIGHT, WIDTH
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from depthmask_coco._selection import OwnInstances, Photographs
from depthmask_coco.coco import Coco
from depthmask_coco.voc import Voc
from depthmask_coco.yolo import Yolo

Mask = NDArray[np.bool_]
IMAGES = 12


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each photograph has a disk, a star, a box that overlaps the star, another box, and a crowd.

    The crowd overlaps the disk.
    """
    folder = tmp_path_factory.mktemp("photographs")
    _, path = made.make_coco(folder, IMAGES)
    content = json.loads(path.read_text())
    for number in range(1, IMAGES + 1):
        crowd = next(one for one in content["annotations"] if one["id"] == 100 * number + 3)
        shape = made.filled([[0.0, 0, 40, 0, 40, 30, 0, 30]])
        crowd["segmentation"] = made.uncompressed(shape)
        box = [[70.0, 20, 110, 20, 110, 60, 70, 60]]
        content["annotations"].append(made.annotation(100 * number + 4, number, 9, box))
    path.write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def dataset(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 samples in three splits on a canvas of the size of the photographs."""
    out = tmp_path_factory.mktemp("dataset") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPTHMASK_CACHE", str(out.parent / "cache"))
        assert main(words(root, out, f"size=[{HEIGHT},{WIDTH}]", "samples=200", *SPLITS)) == 0
    return out


SPLITS = ["split.train=0.5", "split.val=0.25", "split.test=0.25", "split.alike=0"]


def words(root: Path, output: Path, *more: str) -> list[str]:
    paths = [f"source.root={root / 'pictures'}", f"source.annotations={root / 'instances.json'}"]
    rest = ["source.least_area=100", "labels=[coco,instances]", "objects=[1,3]", "depth=none"]
    return ["source=coco", *paths, *rest, "runner.workers=1", f"output={output}", *more]


def entries_of(root: Path) -> dict[int, dict[str, Any]]:
    content = json.loads((root / "instances.json").read_text())
    return {one["id"]: one for one in content["annotations"]}


def decoded(label: dict[str, Any], size: list[int]) -> Mask:
    """The mask of run lengths in the JSON of a sample, by pycocotools."""
    counts = coco_mask.frPyObjects({"size": size, "counts": label["counts"]}, *size)
    return np.asarray(coco_mask.decode(counts), bool)


def box_of(mask: Mask) -> list[int]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return [int(one) for one in (rows[0], columns[0], np.ptp(rows) + 1, np.ptp(columns) + 1)]


def covered(sample: depthmask.Sample) -> Mask:
    """Where a layer hides the background, by the instance map."""
    assert sample.instances is not None
    return (sample.instances > 0) & (sample.instances <= len(sample.meta["layers"]))


def test_visible_masks_are_the_old_ones_without_what_covers_them(root: Path, dataset: Path) -> None:
    """To the pixel, on 200 samples, against masks that pycocotools makes of the annotations."""
    entries, counts = entries_of(root), {"whole": 0, "hidden": 0, "gone": 0}
    for sample in depthmask.open(dataset):
        hidden, meta = covered(sample), sample.meta
        of_image = [one for one in entries.values()
                    if one["image_id"] == meta["background_meta"]["image_id"]]  # fmt: skip
        own = {one["meta"]["annotation_id"]: one for one in meta.get("background_instances", ())}
        assert own.keys() <= {one["id"] for one in of_image}
        for entry in of_image:
            old = made.mask_of(entry) == 1
            visible = old & ~hidden
            share = visible.sum() / old.sum()
            if share < 0.25 or not visible.any():
                assert entry["id"] not in own
                counts["gone"] += 1
                continue
            label = own[entry["id"]]
            assert np.array_equal(decoded(label, meta["size"]), visible)
            assert label["area"] == visible.sum()
            assert label["visible_box"] == box_of(visible)
            assert label["box"] == label["amodal"]["box"] == box_of(old)
            assert np.array_equal(decoded(label["amodal"], meta["size"]), old)
            assert label["visible"] == round(float(share), 4)
            assert label.get("iscrowd", 0) == entry["iscrowd"]
            counts["whole" if share == 1 else "hidden"] += 1
    assert min(counts.values()) > 20, counts


def test_the_coco_files_have_pasted_and_own(root: Path, dataset: Path) -> None:
    names = {one["id"]: one["name"] for one in made.CATEGORIES}
    samples = {sample.index: sample for sample in depthmask.open(dataset)}
    seen = 0
    for split in ("train", "val", "test"):
        reference = COCO(str(dataset / f"coco_{split}.json"))
        assert {one["name"] for one in reference.cats.values()} == set(names.values())
        for number in reference.imgs:
            meta, found = samples[number].meta, reference.imgToAnns[number]
            own = [one for one in found if one.get("of_background", False)]
            pasted = [one for one in found if "of_background" not in one]
            expected = meta.get("background_instances", [])
            assert len(own) == len(expected)
            assert len(pasted) == sum(bool(one["area"]) for one in meta["layers"])
            for entry, label in zip(own, expected, strict=True):
                assert reference.cats[entry["category_id"]]["name"] == label["label"]
                assert entry["iscrowd"] == label.get("iscrowd", 0)
                mask = reference.annToMask(entry) == 1
                top, left, height, width = box_of(mask)
                assert entry["area"] == mask.sum() == label["area"]
                assert entry["bbox"] == [left, top, width, height]
                seen += 1
    assert seen > 400


def test_the_instance_map_numbers_own_after_pasted(dataset: Path) -> None:
    for sample in depthmask.open(dataset):
        layers, own = sample.meta["layers"], sample.meta.get("background_instances", [])
        # The crowd is behind all others, and a larger instance behind a smaller one.
        numbered = [*enumerate(own, start=len(layers) + 1)]
        numbered.sort(key=lambda pair: (-pair[1].get("iscrowd", 0), -pair[1]["amodal"]["area"]))
        expected = np.zeros(sample.size, np.uint8)
        for number, label in [*numbered, *enumerate(layers, start=1)]:
            if label["area"]:
                expected[decoded(label, sample.meta["size"])] = number
        assert sample.instances is not None
        assert np.array_equal(sample.instances, expected)


def test_no_image_is_in_two_splits(dataset: Path) -> None:
    splits: dict[int, set[str]] = {}
    for sample in depthmask.open(dataset):
        meta = sample.meta
        background = meta["background_meta"]["image_id"]
        for one in meta.get("background_instances", ()):
            assert one["meta"]["annotation_id"] // 100 == background
        images = [layer["meta"]["image_id"] for layer in meta["layers"]]
        assert background not in images
        for one in (background, *images):
            splits.setdefault(one, set()).add(meta["split"])
    assert len(splits) == IMAGES
    assert all(len(names) == 1 for names in splits.values())


def test_the_mask_has_own_instances_if_asked_for(root: Path, tmp_path: Path) -> None:
    size = f"size=[{HEIGHT},{WIDTH}]"
    outs = {kind: tmp_path / kind for kind in ("none", "labels", "mask")}
    for kind, out in outs.items():
        setting = f"source.background_instances={kind}"
        assert main(words(root, out, size, "samples=30", setting)) == 0
    datasets, changed = [depthmask.open(out) for out in outs.values()], 0
    for plain, labels, mask in zip(*datasets, strict=True):
        assert "background_instances" not in plain.meta
        assert plain.meta == {
            name: value for name, value in labels.meta.items() if name != "background_instances"
        }
        assert labels.meta == mask.meta
        for one in (labels, mask):
            assert np.array_equal(one.image, plain.image)
        assert np.array_equal(labels.mask, plain.mask)
        expected = plain.mask.copy()
        for one in labels.meta.get("background_instances", ()):
            expected[decoded(one, plain.meta["size"])] = 255
        assert np.array_equal(mask.mask, expected)
        changed += bool((mask.mask != plain.mask).any())
    assert changed > 20
    in_mask = datasets[-1]
    mean = np.mean([one.mask / 255 for one in in_mask])
    assert in_mask.stats["mask"]["mean"] == pytest.approx([mean], abs=1e-9)


def test_labels_do_not_depend_on_workers_or_the_store(root: Path, tmp_path: Path) -> None:
    hashes = []
    for number in (1, 2):
        out = tmp_path / str(number)
        more = ["samples=12", "shard_size=4", f"runner.workers={number}"]
        assert main(words(root, out, *more)) == 0
        hashes.append(json.loads((out / "dataset.json").read_text())["manifest_sha256"])
    assert hashes[0] == hashes[1]


def test_convert_and_annotate_keep_them(root: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "made"
    assert main(words(root, dataset, "samples=12", *SPLITS)) == 0
    for name, *more in (("convert", "writer=zip"), ("annotate", "depth=fastdepth")):
        out = tmp_path / name
        assert main([name, str(dataset), *more, f"output={out}", "runner.workers=1"]) == 0
        assert main(["verify", str(out)]) == 0
        for split in ("train", "val", "test"):
            before, after = (
                json.loads((one / f"coco_{split}.json").read_text()) for one in (dataset, out)
            )
            assert before["annotations"] == after["annotations"]
        one, other = depthmask.open(dataset), depthmask.open(out)
        assert [sample.meta for sample in one] == [sample.meta for sample in other]


def test_the_report_counts_pasted_and_own(dataset: Path) -> None:
    pasted, own = Counter[str](), Counter[str]()
    opened = depthmask.open(dataset)
    for sample in opened:
        pasted.update(layer["label"] for layer in sample.meta["layers"])
        own.update(one["label"] for one in sample.meta.get("background_instances", ()))
    page = report(opened)
    for label in ("box", "disk", "star"):
        row = page[page.index(f'scope="row">{label}</th>') :].partition("</tr>")[0]
        assert [int(one) for one in re.findall(r"<td>(\d+)</td>", row)][1:] == [
            pasted[label],
            own[label],
        ]
    assert "on the background: " in page


@pytest.mark.parametrize("rows", [(48, 64), (160, 160), (31, 90)])
def test_masks_move_with_the_crop_of_the_photograph(root: Path, rows: tuple[int, int]) -> None:
    """On another canvas, a mask is where the colour of its object is, but for its edge."""
    source = Coco(root=str(root / "pictures"), annotations=str(root / "instances.json"))
    source.check(rows)
    key = "000000000003.jpg"
    background = source.background(key, rows)
    own = {one.meta["annotation_id"]: one for one in background.instances if one.meta}
    assert own.keys() == {300, 301, 302, 303, 304}
    disk = np.zeros(rows, np.uint8)
    disk[own[300].window] = own[300].mask
    red = background.image.astype(int) @ (1, -1, 0) > 150
    # JPEG blurs colours at the edge, and noise is as red here and there.
    inner = made.away_from_edges(disk, 2)
    assert (red == disk)[inner].mean() > 0.99
    assert red[inner & (disk == 1)].mean() > 0.99


@pytest.mark.parametrize(
    ("categories", "kind", "backgrounds", "labels"),
    [
        ([], "any", ["1", "2", "3"], {"cat", "bird"}),
        ([], "only", ["1", "2"], {"cat", "bird"}),
        ([], "without", ["3"], set()),
        (["bird"], "any", ["1", "2", "3"], {"bird"}),
        (["bird"], "only", ["1"], {"bird"}),
        (["bird"], "without", ["2", "3"], set()),
    ],
)
@pytest.mark.parametrize("name", ["coco", "yolo", "voc"])
def test_photographs_are_chosen_by_their_categories(
    tmp_path: Path,
    name: str,
    categories: list[str],
    kind: str,
    backgrounds: list[str],
    labels: set[str],
) -> None:
    """The first shows a cat and a bird, the second a cat, the third nothing."""
    source = SOURCES[name](tmp_path)
    source.least_area, source.categories = 100, categories
    source.backgrounds_categories = Photographs[kind]
    catalogue = source.check((48, 64))
    assert [Path(one).stem for one in catalogue.backgrounds] == backgrounds
    assert {Path(one).name.partition(".")[0] for one in catalogue.foregrounds} <= {"1", "2"}
    shown = [source.background(key, (48, 64)).instances for key in catalogue.backgrounds]
    assert {one.label for instances in shown for one in instances} == labels
    assert labels <= set(catalogue.foreground_labels)
    source.background_instances = OwnInstances.none
    source.check((48, 64))
    assert not any(source.background(key, (48, 64)).instances for key in catalogue.backgrounds)


def three_of_coco(folder: Path) -> Coco:
    pictures, path = made.make_coco(folder, 3)
    content = json.loads(path.read_text())
    for one in content["images"]:
        (pictures / one["file_name"]).rename(pictures / f"{one['id']}.jpg")
        one["file_name"] = f"{one['id']}.jpg"
    for one, name in zip(content["categories"], ("cat", "bird", "box"), strict=True):
        one["name"] = name
    content["annotations"] = [
        one for one in content["annotations"] if one["id"] in (100, 101, 200, 203)
    ]
    path.write_text(json.dumps(content))
    return Coco(root=str(pictures), annotations=str(path))


def three_of_yolo(folder: Path) -> Yolo:
    root = made.make_yolo(folder / "yolo", 4)
    names = (root / "data.yaml").read_text().replace("disk", "cat").replace("star", "bird")
    (root / "data.yaml").write_text(names)
    second = root / "labels/train/2.txt"
    second.write_text(second.read_text().partition("\n")[0])
    (root / "labels/train/3.txt").unlink()
    return Yolo(root=str(root))


def three_of_voc(folder: Path) -> Voc:
    root = made.make_voc(folder / "voc")
    for name in ("SegmentationObject", "SegmentationClass"):
        for number, lost in ((2, (2, 3)), (3, (1, 2, 3, 8))):
            path = root / name / f"{number}.png"
            image = Image.open(path)
            values = np.array(image)
            values[np.isin(values, lost)] = 0
            new = Image.frombytes("P", image.size, values.tobytes())
            new.putpalette(image.getpalette() or [])
            new.save(path)
    return Voc(root=str(root))


SOURCES = {"coco": three_of_coco, "yolo": three_of_yolo, "voc": three_of_voc}


def test_a_photograph_of_which_not_all_is_known_is_not_without(tmp_path: Path) -> None:
    source = three_of_coco(tmp_path)
    path = Path(source.annotations)
    content = json.loads(path.read_text())
    bad = made.annotation(300, 3, 7, [[10, 10, 50, 10, 50, 50]])
    content["annotations"].append({**bad, "segmentation": [[1, 2]]})
    path.write_text(json.dumps(content))
    source.on_bad_asset, source.least_area = OnBadAsset.skip, 100
    source.categories, source.backgrounds_categories = ["bird"], Photographs.without
    assert source.check((48, 64)).backgrounds == ("2.jpg",)


def test_no_photograph_is_left(tmp_path: Path) -> None:
    source = three_of_coco(tmp_path)
    source.categories, source.backgrounds_categories = ["box"], Photographs.only
    with pytest.raises(UsageError, match="_categories=only leaves no photograph"):
        source.check((48, 64))


def test_other_backgrounds_have_no_annotations(tmp_path: Path) -> None:
    source = three_of_coco(tmp_path)
    (tmp_path / "walls").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "walls/a.png")
    source.backgrounds_root, source.least_area = str(tmp_path / "walls"), 100
    source.check((48, 64))
    assert source.background("a.png", (48, 64)).instances == ()
    source.backgrounds_categories = Photographs.without
    with pytest.raises(SettingError, match="backgrounds_root have no annotations"):
        source.check((48, 64))


def test_an_identity_tells_the_instances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the store is not taken for a background with other instances."""
    source = three_of_coco(tmp_path)
    source.least_area, identities = 100, set()
    for kind in OwnInstances:
        for categories in ([], ["cat"], ["bird"]):
            source.background_instances, source.categories = kind, categories
            source.check((48, 64))
            identities.add(source.background_identity("1.jpg", (48, 64)))
    assert len(identities) == 1 + 3 + 3
    # Nor if another version draws their masks in another way.
    last = source.background_identity("1.jpg", (48, 64))
    monkeypatch.setattr(Coco, "pixel_version", Coco.pixel_version + 1)
    assert source.background_identity("1.jpg", (48, 64)) != last


def test_a_photograph_of_another_size_is_left_out(tmp_path: Path) -> None:
    """Its run lengths are not drawn on it."""
    pictures, _ = made.make_coco(tmp_path, 4)
    bad = "000000000001.jpg"
    Image.new("RGB", (WIDTH - 1, HEIGHT)).save(pictures / bad)
    out = tmp_path / "out"
    assert main(words(tmp_path, out, "samples=6", "source.on_bad_asset=skip")) == 0
    info = json.loads((out / "dataset.json").read_text())
    assert any(one["file"].startswith(f"{pictures / bad}") for one in info["left_out"])
    assert bad not in {sample.meta["background"] for sample in depthmask.open(out)}


def test_too_many_instances_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    source = three_of_coco(tmp_path)
    path = Path(source.annotations)
    content = json.loads(path.read_text())
    whole = {"size": [HEIGHT, WIDTH], "counts": [0, HEIGHT * WIDTH]}
    for number in range(1000, 1200):
        one = made.annotation(number, 2, 1, [[1, 1, 9, 1, 9, 9]])
        content["annotations"].append({**one, "segmentation": whole})
    path.write_text(json.dumps(content))
    source.least_area = 100
    source.check((48, 64))
    message = (
        r"2\.jpg: image 2: its annotations cover too many pixels of a canvas of 640x640: "
        r"[\d,]+, the most is 26,214,400; leave some out"
    )
    with pytest.raises(UsageError, match=message):
        source.check((640, 640))


def test_prepare_says_that_it_does_not_write_them(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = three_of_coco(tmp_path)
    words = [
        "source=coco",
        f"source.root={source.root}",
        f"source.annotations={source.annotations}",
    ]
    words += ["source.least_area=100", "size=[48,64]"]
    for kind in ("labels", "none"):
        out = f"output={tmp_path / kind}"
        assert main(["prepare", *words, f"source.background_instances={kind}", out]) == 0
    text = capfd.readouterr()
    note = "4 instances of backgrounds are not written; assets.csv has no masks"
    assert f"{text.out}{text.err}".count(note) == 1


@pytest.mark.parametrize("labels", ["labels=[]", "labels=[coco,instances]"])
def test_the_estimate_of_a_sample_counts_them(tmp_path: Path, labels: str) -> None:
    """A crowded photograph has more labels of its own than pixels; it would be half as much."""
    _, path = made.make_coco(tmp_path, 4)
    content = json.loads(path.read_text())
    for image, place in itertools.product(range(1, 5), range(20)):
        shape = made.disk(place % 5 * 24 + 12, place // 5 * 22 + 12, 9)
        number = 10_000 + 100 * image + place
        content["annotations"].append(made.annotation(number, image, 9, [shape]))
    path.write_text(json.dumps(content))
    out = tmp_path / "out"
    size = f"size=[{HEIGHT},{WIDTH}]"
    job = job_from_config(compose_root(words(tmp_path, out, size, "samples=16", labels)))
    run_job(job, Silent())
    files = (one for one in (out / "shards").rglob("*") if one.is_file())
    assert 0.8 < job.sample_bytes * 16 / sum(one.stat().st_size for one in files) < 1.2
