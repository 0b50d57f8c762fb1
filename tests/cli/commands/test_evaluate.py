"""`evaluate` on made pairs and on the reference pairs, and the table of it in the docs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.data import Composite, DepthContract, DepthKind, DepthMode, Float32, Size, UInt8
from depthmask.errors import UsageError
from depthmask.reports.evaluation.on_dataset import evaluate_dataset
from depthmask.reports.evaluation.on_pairs import evaluate_pairs, pairs
from depthmask.stage import stage
from depthmask.stages.depth.base import Estimator
from tests.support.paths import ROOT, SHARED
from tests.support.profiles import ADOBE_RGB, in_srgb, rgb_profile

REFERENCE = SHARED / "depth-reference"


@stage("brightness")
class Brightness(Estimator):
    """Depth in metres is the red channel / 10, twice as much as it should be."""

    @property
    def cache_key(self) -> str:
        return "brightness"

    def contract(self, size: Size, geometry: DepthContract | None) -> DepthContract:
        return DepthContract(
            DepthKind.metric_z, "m", 0.1, 30, 0.0, False, size, "brightness", None,
            DepthMode.estimated,
        )  # fmt: skip

    def annotate(self, composites: list[Composite]) -> list[Float32]:  # type: ignore[override]
        return list(self.estimate(np.stack([one.image for one in composites])))

    def estimate(self, images: UInt8) -> Float32:
        return images[..., 0].astype(np.float32) / np.float32(10)


def made_pair(folder: Path, name: str = "one") -> None:
    ramp = np.tile(np.arange(10, 90, dtype=np.uint8), (20, 1))
    Image.fromarray(np.repeat(ramp[..., None], 3, 2)).save(folder / f"{name}.rgb.png")
    millimetres = ramp.astype(np.uint16) * 50
    millimetres[:5] = 0
    Image.fromarray(millimetres).save(folder / f"{name}.depth_mm.png")


def test_a_scale_error_shows_and_is_corrected(tmp_path: Path) -> None:
    made_pair(tmp_path)
    (row,) = evaluate_pairs(Brightness(), tmp_path)
    assert row.plain is not None
    assert row.plain.abs_rel == pytest.approx(1.0, abs=1e-5)
    assert row.plain.delta1 == 0
    assert row.scaled.abs_rel == pytest.approx(0, abs=1e-5)
    assert row.scaled.spearman == pytest.approx(1)


def test_invalid_pixels_do_not_count(tmp_path: Path) -> None:
    made_pair(tmp_path)
    (pair,) = pairs(tmp_path)
    assert pair.depth_m.shape == (20, 80)
    assert (pair.depth_m[:5] == 0).all()
    assert pair.depth_m[6, 0] == np.float32(0.5)


def test_pictures_of_another_colour_space_are_scored_in_srgb(tmp_path: Path) -> None:
    made_pair(tmp_path)
    image = Image.new("RGB", (80, 20), (60, 180, 60))
    image.save(tmp_path / "one.rgb.png", icc_profile=rgb_profile(ADOBE_RGB))
    (pair,) = pairs(tmp_path)
    assert abs(pair.image - in_srgb(np.asarray(image), ADOBE_RGB).astype(int)).max() <= 2


def test_asset_folders_and_missing_depth_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no pairs; it needs"):
        list(pairs(tmp_path))
    (tmp_path / "bg").mkdir()
    (tmp_path / "bg_depth").mkdir()
    Image.new("RGB", (8, 6)).save(tmp_path / "bg" / "hall.jpg")
    Image.fromarray(np.full((6, 8), 1500, np.uint16)).save(tmp_path / "bg_depth" / "hall.png")
    (pair,) = pairs(tmp_path)
    assert (pair.name, float(pair.depth_m[0, 0])) == ("hall", 1.5)
    Image.new("RGB", (8, 6)).save(tmp_path / "alone.rgb.jpg")
    with pytest.raises(UsageError, match=r"alone.depth_mm.png is missing"):
        list(pairs(tmp_path))


NAMES = ["room", "room.2", "hall[1]", "a*", "?"]
"""Some are patterns, and one begins like another."""


def depth_file(path: Path, millimetres: int) -> None:
    Image.fromarray(np.full((6, 8), millimetres, np.uint16)).save(path)


@pytest.mark.parametrize(
    ("rgb", "depth"), [("{}.rgb.png", "{}.depth_mm.png"), ("bg/{}.jpg", "bg_depth/{}.png")]
)
def test_pairs_have_exactly_one_name(tmp_path: Path, rgb: str, depth: str) -> None:
    for folder in ("bg", "bg_depth"):
        (tmp_path / folder).mkdir()
    for number, name in enumerate(NAMES, 1):
        Image.new("RGB", (8, 6), (number, 0, 0)).save(tmp_path / rgb.format(name), quality=100)
        depth_file(tmp_path / depth.format(name), 1000 * number)
    # Notes and hidden files beside the pictures, which end no run.
    for name in ("bg/room.json", "room.rgb.json", "bg/._room.jpg", "._room.rgb.png", "bg/room.txt"):
        (tmp_path / name).write_bytes(b"{}")
    depths = {pair.name: float(pair.depth_m[0, 0]) for pair in pairs(tmp_path)}
    assert depths == {name: number for number, name in enumerate(NAMES, 1)}
    assert len(list(pairs(tmp_path))) == len(NAMES)


@pytest.mark.parametrize(
    ("rgb", "depth", "line"),
    [
        (["a.rgb.jpg", "a.rgb.png"], ["a.depth_mm.png"], "a.rgb.png: a.rgb.jpg has the same name"),
        ([], ["a.depth_mm.png"], "a.depth_mm.png: the picture a.rgb.jpg or .png is missing"),
        (["bg/a.jpg", "bg/a.png"], ["bg_depth/a.png"], "bg/a.png: a.jpg has the same name"),
        (["bg/b.jpg"], ["bg_depth/a.png"], "bg_depth/a.png: bg/ has no picture named a"),
        (["mean.rgb.jpg"], ["mean.depth_mm.png"], "mean is the name of the last row"),
    ],
)
def test_pairs_that_are_not_clear(
    tmp_path: Path, rgb: list[str], depth: list[str], line: str
) -> None:
    for folder in ("bg", "bg_depth"):
        (tmp_path / folder).mkdir()
    for name in rgb:
        Image.new("RGB", (8, 6)).save(tmp_path / name)
    for name in depth:
        depth_file(tmp_path / name, 1500)
    with pytest.raises(UsageError, match=re.escape(line)):
        list(pairs(tmp_path))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["depth=fastdepth"], "evaluate needs on=FOLDER"),
        (["depth=layered", "on=."], "depth=layered is not an estimator"),
        (["depth=fastdpth", "on=."], "did you mean depth=fastdepth?"),
        (["depth=fastdepth", "on=/no/such/folder"], "on=/no/such/folder: no such folder"),
        (["depth=fastdepth", "on=."], "on=. contains no pairs"),
        (["depth=fastdepth", "on=sweep"], "sweep holds a dataset, and is none; give one, such as"),
        (["set", "depth=fastdepth"], "set: write on=set"),
    ],
)
def test_bad_usage(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    line: str,
) -> None:
    for file in ("set/plan.json", "sweep/jobs/sweep.json", "sweep/one/plan.json"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *words]) == 2
    assert line in capsys.readouterr().err


def test_table_and_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made_pair(tmp_path)
    kept = tmp_path / "scores.json"
    assert main(["evaluate", "depth=fastdepth", f"on={tmp_path}", f"json={kept}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["image", "abs_rel", "rmse"]
    assert [line.split()[0] for line in lines[2:]] == ["one", "mean"]
    numbers = json.loads(kept.read_text())
    assert f"{numbers['one']['plain']['abs_rel']:.3f}" == lines[2].split()[1]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("evaluate") / "out"
    small = ["source.rooms=2", "source.furniture=4", "size=[64,64]", "runner.workers=1"]
    assert main(["placement=ground", "samples=6", *small, f"output={out}"]) == 0
    return out


def test_a_network_is_scored_on_a_dataset(
    dataset: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept = tmp_path / "agreement.json"
    words = ["depth=fastdepth", f"on={dataset}", "images=4", f"json={kept}"]
    assert main(["evaluate", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "depth=fastdepth on the images of 4 samples, against their own depth (composited)"
    )
    numbers = json.loads(kept.read_text())
    assert numbers["images"] == 4
    assert lines[2].split()[-2] == f"{numbers['inside']:.3f}"
    assert lines[5].split()[-2:] == [f"{numbers['near']:.2f}", f"{numbers['label_near']:.2f}"]
    # Objects are set in with their whole step at the mask's edge; no network finds that.
    assert numbers["label_near"] > 0.8 > 0.5 > numbers["near"]


def test_scores_on_a_dataset_with_a_known_answer(dataset: Path) -> None:
    """Depth by the red channel: compared with the dataset's own, sample by sample."""
    found = depthmask.open(dataset)
    count, mean = evaluate_dataset(Brightness(), found, 1000)
    assert count == len(found)
    inside = []
    for sample in found:
        assert sample.depth is not None
        guess = sample.image[..., 0].astype(np.float64) / 10
        valid = (guess > 0) & (sample.depth > 0)
        guess *= np.median(sample.depth[valid]) / np.median(guess[valid])
        of_object = valid & (sample.mask >= 128)
        inside.append(np.mean(np.abs(guess / sample.depth - 1)[of_object]))
    assert mean.inside == pytest.approx(np.mean(inside), rel=1e-5)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["images=0"], "images=0: must be a whole number"),
        (["images=many"], "images=many: must be a whole number"),
    ],
)
def test_a_bad_number_of_images_is_an_error(
    dataset: Path, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    assert main(["evaluate", "depth=fastdepth", f"on={dataset}", *words]) == 2
    assert line in capsys.readouterr().err


def test_a_dataset_without_depth_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["source.rooms=1", "source.furniture=1", "size=[32,32]", "runner.workers=1"]
    assert main(["depth=none", "samples=1", *small, f"output={tmp_path / 'out'}"]) == 0
    assert main(["evaluate", "depth=fastdepth", f"on={tmp_path / 'out'}"]) == 2
    assert "no depth in metres to compare with" in capsys.readouterr().err


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference data is not here")
def test_the_table_in_the_docs_has_the_measured_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from depth_accuracy import accuracy  # type: ignore[import-not-found]

    found = accuracy(REFERENCE)
    sys.modules.pop("depth_accuracy")
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
        for line in (ROOT / "docs" / "depth.md").read_text().splitlines()
        if len(cells := line.split("|")) == 7
    }
    for kind, images in (("photographs", 7), ("renders", 5)):
        assert found[f"{kind} images"] == images
        for row, prefix in (("as estimated", "plain"), ("scaled to the median", "scaled")):
            scores = [
                found[f"{kind} {prefix} {name}"] for name in ("abs_rel", "delta1", "spearman")
            ]
            assert rows[f"{kind}, {row}"] == [str(images), *(f"{score:.2f}" for score in scores)]
    with_densedepth = [
        f"{found['DenseDepth images']}",
        "",
        "",
        f"{found['DenseDepth spearman']:.2f}",
    ]
    assert rows["against DenseDepth's own output"] == with_densedepth
