"""`evaluate` on made pairs and on the reference pairs, and the README's table of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.cli.evaluate import evaluate, pairs
from depthmask.cli.main import main
from depthmask.data import Composite, DepthContract, DepthKind, DepthMode, Float32, Size, UInt8
from depthmask.depth.base import Estimator
from depthmask.errors import UsageError
from depthmask.stage import stage

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT.parent / "shared" / "depth-reference"


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


def test_scale_error_is_found_and_mended(tmp_path: Path) -> None:
    made_pair(tmp_path)
    (row,) = evaluate(Brightness(), tmp_path)
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


def test_asset_folders_and_missing_partners(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pairs; it needs"):
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


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["depth=fastdepth"], "give on=FOLDER"),
        (["depth=layered", "on=."], "depth=layered: not an estimator"),
        (["depth=fastdpth", "on=."], "did you mean depth=fastdepth?"),
        (["depth=fastdepth", "on=/no/such/folder"], "no pairs"),
    ],
)
def test_bad_usage(capsys: pytest.CaptureFixture[str], words: list[str], line: str) -> None:
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


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference data is not here")
def test_table_in_the_readme_is_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from depth_accuracy import accuracy  # type: ignore[import-not-found]

    found = accuracy(REFERENCE)
    sys.modules.pop("depth_accuracy")
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
        for line in (ROOT / "README.md").read_text().splitlines()
        if len(cells := line.split("|")) == 6
    }
    names = ("abs_rel", "delta1", "spearman")
    for row, prefix in (("as estimated", "plain"), ("scaled to the median", "scaled")):
        assert rows[row] == [f"{found[f'{prefix} {name}']:.2f}" for name in names]
    assert rows["against DenseDepth's own output"][2] == f"{found['spearman to DenseDepth']:.2f}"
