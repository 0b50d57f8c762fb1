"""`pictures`: depth in colours, and the legend of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.reports.colormap import colour


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "out"
    words = ["source.rooms=2", "source.furniture=2", "source.oversample=1", "size=[32,40]"]
    assert main([*words, "samples=4", "runner.workers=1", f"output={out}"]) == 0
    return out


def test_a_picture_of_each_map_and_a_legend(made: Path, tmp_path: Path) -> None:
    into = tmp_path / "pictures"
    assert main(["pictures", str(made), "--into", str(into), "--near", "1", "--far", "5"]) == 0
    names = [f"{number:09d}.png" for number in range(4)]
    assert sorted(path.name for path in into.glob("[!.]*")) == [*names, "legend.png"]
    for name, sample in zip(names, depthmask.open(made), strict=True):
        assert sample.depth is not None
        assert np.array_equal(np.asarray(Image.open(into / name)), colour(sample.depth, 1, 5))


def test_a_scale_from_the_samples(made: Path, tmp_path: Path) -> None:
    """Near is red and far is blue, whatever the range of the contract."""
    assert main(["pictures", str(made), "--into", str(tmp_path), "--count", "1"]) == 0
    sample = depthmask.open(made)[0]
    assert sample.depth is not None
    pixels = np.asarray(Image.open(tmp_path / "000000000.png"))
    nearest, farthest = (
        pixels[np.unravel_index(of(sample.depth), sample.depth.shape)]
        for of in (np.argmin, np.argmax)
    )
    ends = colour(np.array([[1.0, 9.0]], np.float32), 1.0, 9.0)[0]
    assert np.array_equal(nearest, ends[0])
    assert np.array_equal(farthest, ends[1])
    assert not (tmp_path / "000000001.png").exists()


def test_a_dataset_without_depth_is_refused(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare"
    words = ["encode.depth=none", "runner.workers=1", f"output={bare}"]
    assert main(["convert", str(made), *words]) == 0
    assert main(["pictures", str(bare)]) == 2
    assert "has no depth; add it with `depthmask annotate`" in capfd.readouterr().err
    assert main(["pictures", str(made), "--near", "3", "--far", "2"]) == 2
    assert "near must be less than far" in capfd.readouterr().err
