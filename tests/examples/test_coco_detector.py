"""The example that goes from a COCO file to what a detector learns, on own pictures."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from tests.support.paths import ROOT
from tests.support.plugins import install_package

SCRIPT = "coco_detector"
ROOMS = ["source.rooms=3", "source.furniture=4", "size=[120,160]"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the script prints, and its dataset."""
    folder = tmp_path_factory.mktemp("detector")
    labelled, rooms, out = (folder / name for name in ("LABELLED", "ROOMS", "OUT"))
    words = ["writer=folder", "labels=[coco]", "samples=12", "runner.workers=1"]
    assert main([*words, *ROOMS, f"output={labelled}"]) == 0
    assert main(["prepare", "source=rooms", *ROOMS, f"output={rooms}"]) == 0
    install_package(ROOT / "plugins" / "depthmask-coco", folder / "site")
    given = [labelled / "shards", labelled / "coco_train.json", out, "--backgrounds", rooms / "bg"]
    more = ["--samples", "20", "objects=[1,2]", "source.truncated=true", "source.least_area=256"]
    code = (
        f"import sys, runpy; sys.path[:0] = {[str(folder / 'site'), str(ROOT)]}; "
        f"runpy.run_path({str(ROOT / 'examples' / f'{SCRIPT}.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, given), *more, "runner.workers=1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, out


def test_prints_the_objects_of_each_split(finished: tuple[str, Path]) -> None:
    printed, out = finished
    lines = re.findall(r"^(train|val): (\d+) images with (.+)$", printed, re.MULTILINE)
    assert [(split, int(count)) for split, count, _ in lines] == [("train", 16), ("val", 4)]
    for split, _, counts in lines:
        visible = [
            layer["label"]
            for sample in depthmask.open(out).split(split)
            for layer in sample.meta["layers"]
            if layer["area"]
        ]
        expected = {label: visible.count(label) for label in visible}
        assert {
            name: int(number) for number, name in (one.split(" ", 1) for one in counts.split(", "))
        } == expected


def test_boxes_hold_their_objects(finished: tuple[str, Path]) -> None:
    _, out = finished
    detections = runpy.run_path(str(ROOT / "examples" / f"{SCRIPT}.py"))["Detections"]
    train = detections(str(out), "train")
    for target, sample in zip(
        (train[rank] for rank in range(len(train))), depthmask.open(out).split("train"), strict=True
    ):
        assert np.array_equal(target.image, sample.image)
        layers = [one for one in sample.meta["layers"] if one["area"]]
        boxes = [one["visible_box"] for one in layers]
        expected = [[left, top, left + width, top + height] for top, left, height, width in boxes]
        assert sorted(target.boxes.tolist()) == sorted(expected)
        labels = [train.classes[one] for one in target.labels.tolist()]
        assert sorted(labels) == sorted(one["label"] for one in layers)
