"""Numbers of depth have the unit of their contract wherever users see them, and no other."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import ImageDraw

from depthmask import (
    DepthContract,
    DepthKind,
    DepthMode,
    FixedBatchEstimator,
    Float32,
    Resolution,
    Size,
    setting,
    stage,
)
from depthmask.cli.main import main
from depthmask.reports.card.readme import plain
from depthmask.reports.evaluation.boundaries import Boundaries
from depthmask.reports.evaluation.metrics import Scores
from depthmask.reports.evaluation.on_pairs import Row, table
from depthmask.reports.units import depth_title, size

METRES = DepthContract(
    kind=DepthKind.metric_z,
    unit="m",
    near=0.1,
    far=10.0,
    invalid=0.0,
    clip=True,
    resolution=(8, 8),
    estimator="somebody",
    weights_sha256=None,
    mode=DepthMode.estimated,
)


@stage("unitless")
class Unitless(FixedBatchEstimator):
    """Depth of any kind, from the red of the image."""

    measures: DepthKind = setting(DepthKind.disparity, help="kind of depth")
    unit: str = setting("", help="unit of the contract")
    batch: int = setting(4, ge=1, help="images at a time")
    resolution: Resolution = setting(Resolution.image, help="size of the maps")
    weights_sha256 = "0" * 64
    cache_key = "unitless"
    value_range = 0.5, 9.0

    def input_size(self, size: Size) -> Size:
        return size

    def output_size(self, size: Size) -> Size:
        return size

    def run(self, inputs: Float32) -> Float32:
        return 1 + inputs[..., 0]

    def contract(self, size: Size, geometry: DepthContract | None = None) -> DepthContract:
        return replace(super().contract(size, geometry), kind=self.measures, unit=self.unit)


@pytest.mark.parametrize(
    ("kind", "unit", "title"),
    [
        (DepthKind.metric_z, "m", "depth [m]"),
        (DepthKind.metric_z, "ft", "depth [ft]"),
        (DepthKind.relative, "", "relative depth"),
        (DepthKind.disparity, "", "disparity"),
        (DepthKind.disparity, "1/m", "disparity [1/m]"),
    ],
)
def test_titles(kind: DepthKind, unit: str, title: str) -> None:
    assert depth_title(replace(METRES, kind=kind, unit=unit)) == title
    assert depth_title(None) == "depth"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.00 kB"), (17_920, "17.9 kB"),
        (999_499, "999 kB"), (999_500, "1.00 MB"), (1_500_000, "1.50 MB"), (9_996_000, "10.0 MB"),
        (99_960_000, "100 MB"), (823_456_789, "823 MB"), (7_100_000_000, "7.10 GB"),
        (5e12, "5.00 TB"), (5e15, "5,000 TB"),
    ],
)  # fmt: skip
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


def test_sizes_of_small_datasets_are_not_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["source.rooms=2", "source.furniture=2", "size=[24,32]", "samples=2", "depth=none"]
    assert main([*words, f"output={tmp_path / 'out'}"]) == 0
    assert main(["stats", str(tmp_path / "out")]) == 0
    printed = "".join(capsys.readouterr())
    assert not re.search(r"(?<![\d.,])0(\.0+)? [kMGT]?B\b", printed)
    assert len(re.findall(r"\d kB\b", printed)) == 3


@pytest.mark.parametrize(
    ("kind", "unit", "title"),
    [
        ("metric_z", "m", "depth [m]"),
        ("disparity", "", "disparity"),
        ("disparity", "px", "disparity [px]"),
        ("relative", "", "relative depth"),
    ],
)
@pytest.mark.usefixtures("stages_of_tests")
def test_what_users_see(
    kind: str,
    unit: str,
    title: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("vl_convert")
    drawn: list[str] = []
    draw_text = ImageDraw.ImageDraw.text

    def text(self: ImageDraw.ImageDraw, xy: tuple[float, float], text: str, **more: object) -> None:
        drawn.append(text)
        draw_text(self, xy, text, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    out = str(tmp_path / "out")
    words = ["source.rooms=2", "source.furniture=2", "size=[24,32]", "samples=3", "geometry=none"]
    depth = ["depth=unitless", f"depth.measures={kind}", f"depth.unit='{unit}'"]
    assert main([*words, *depth, "encode.depth=npz", f"output={out}"]) == 0
    ends = [one for one in drawn if re.match(r"\d+\.\d", one)]
    assert len(ends) == 2
    assert all(one == f"{float(one.split()[0]):.1f} {unit}".rstrip() for one in ends)
    capsys.readouterr()
    assert main(["stats", out]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(title)]
    assert len(rows) == 1
    assert re.fullmatch(rf"{re.escape(title)} +1\.\d{{5}} +\d\.\d{{5}}", rows[0])
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"| {plain(title)} | 1." in card
    assert f"| range | 0.5 to 9.0{' ' * bool(unit)}{unit} |" in card
    assert (
        f"| kind | {kind.replace('_', chr(92) + '_')}{', ' * bool(unit)}{unit}, larger is" in card
    )
    assert main(["report", out]) == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert f">{title}<" in page
    end = f"9 {unit}".rstrip()
    assert f"Values outside {f'0.5 {unit}'.rstrip()} to {end} were clipped" in page
    assert "[]" not in re.sub(r"<(script|pre)\b.*?</\1>", "", page, flags=re.DOTALL)
    drawn.clear()
    assert main(["pictures", out, "--into", str(tmp_path / "pictures")]) == 0
    assert f"{title} by unitless" in drawn
    if unit != "m":
        shown = " ".join([card.replace("cr:", ""), *drawn])
        assert not re.search(r"\[m\]|\d m\b", shown)


@pytest.mark.usefixtures("stages_of_tests")
def test_a_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["source.rooms=2", "source.furniture=2", "size=[24,32]", "samples=2", "geometry=none",
             "depth=unitless", "encode.depth=npz"]  # fmt: skip
    metres = ["depth.measures=metric_z", "depth.unit=m,ft", f"output={tmp_path / 'mixed'}"]
    assert main(["-m", *words, *metres]) == 0
    assert "  depth_mean  " in capsys.readouterr().err
    assert main(["-m", *words, "depth.unit=px", "seed=1,2", f"output={tmp_path / 'px'}"]) == 0
    assert "  depth_mean [px]  " in capsys.readouterr().err
    assert "<th>depth mean [px]</th>" in (tmp_path / "px" / "sweep.html").read_text()
    assert ",depth_mean," in (tmp_path / "px" / "sweep.csv").read_text()


def test_scores_of_pairs_are_in_metres() -> None:
    one = Scores(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    _, titles, row, mean, *_ = table(
        [Row("kitchen", None, one, Boundaries(0.5, 1.5, 2.5))]
    ).splitlines()
    assert titles.count("rmse [m]") == 2
    assert len(titles) == len(row) == len(mean)
