"""`+preset=depthmaskdataset`: the original's numbers, out of one's own assets."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.errors import DepthmaskError
from depthmask.stages.depth.densedepth import DenseDepth
from depthmask.stages.depth.fixed_batch import Resolution
from tests.support.paths import SHARED

SEED_ASSETS = SHARED / "seed-assets"
PRESET = "+preset=depthmaskdataset"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two backgrounds x two cut-outs x two places x two flips."""
    root = tmp_path_factory.mktemp("assets")
    rng = np.random.default_rng(4)
    for folder in ("bg", "fg"):
        (root / folder).mkdir()
        for number in (1, 2):
            channels = 3 if folder == "bg" else 4
            pixels = rng.integers(1, 256, (90, 70, channels), dtype=np.uint8)
            Image.fromarray(pixels).save(root / folder / f"{folder}00{number}.png")
    words = [PRESET, f"source.root={root}", "depth=none", "repeats=2", "runner.workers=1"]
    assert main([*words, f"output={root / 'out'}"]) == 0
    return root / "out"


def test_every_pair_of_assets_at_every_place(made: Path) -> None:
    dataset = depthmask.open(made)
    assert len(dataset) == 2 * 2 * 2 * 2
    layers = [sample.meta["layers"][0] for sample in dataset]
    order = [(sample.meta["background"], one["foreground"], one["flip"])
             for sample, one in zip(dataset, layers, strict=True)]  # fmt: skip
    assert order[:5] == [
        *[("bg001", "fg001", False), ("bg001", "fg001", True)] * 2,
        ("bg001", "fg002", False),
    ]
    assert order[-1] == ("bg002", "fg002", True)
    # Native size, and the corner anywhere on the canvas.
    assert {tuple(one["box"][2:]) for one in layers} == {(90, 70)}
    corners = np.array([one["box"][:2] for one in layers])
    assert corners.min() >= 0
    assert corners.max() <= 159
    assert len({tuple(corner) for corner in corners.tolist()}) == 16


def test_files_as_the_original_had_them(made: Path) -> None:
    with zipfile.ZipFile(made / "shards" / "train-000000" / "data.zip") as archive:
        names = archive.namelist()
        assert len(names) == 32
        assert names[0] == "data/fg_bg/bg001/bg001_fg001_000001.jpg"
        image = archive.read(names[0])
    assert depthmask.open(made).info["shard_size"] == 4000
    # Quality 50 has 16 for the first step of the luminance table, as the standard's annex K.
    assert image[image.index(b"\xff\xdb") + 5] == 16


def test_a_preset_sets_no_stage_setting_that_another_choice_lacks() -> None:
    """So `depth=none` works beside it, and so does its own DenseDepth at native resolution."""
    root = compose_root([PRESET, "source.root=x"])
    assert isinstance(root.depth, DenseDepth)
    assert root.depth.resolution is Resolution.native
    for words in (["depth=none"], ["writer=zip"], ["placement=random"], ["depth=fastdepth"]):
        compose_root([PRESET, "source.root=x", *words])
    large = compose_root(["+preset=depthmaskdataset224", "source.root=x"])
    assert (large.canvas, large.samples, large.writer.name) == (
        (224, 224),
        None,
        "depthmaskdataset",
    )
    assert large.source.foreground_scale * 224 == pytest.approx(200)


@pytest.mark.skipif(not SEED_ASSETS.is_dir(), reason="no reference photographs")
def test_the_published_statistics(tmp_path: Path) -> None:
    """Of 4,000 of the 400,000 samples, a hundredth of the places; the whole has 0.0013 at most.

    Published: std of the images (0.21974, 0.22818, 0.24135), of the masks 0.31697.
    """
    words = [PRESET, f"source.root={SEED_ASSETS}", "depth=none", f"output={tmp_path / 'out'}"]
    assert job_from_config(compose_root(words)).plan.samples == 400_000
    assert main([*words, "samples=4000", "sampling=random"]) == 0
    stats = depthmask.open(tmp_path / "out").stats
    assert stats["image"]["std"] == pytest.approx([0.21974, 0.22818, 0.24135], abs=0.004)
    assert stats["mask"]["std"] == pytest.approx([0.31697], abs=0.006)


def test_how_many_is_said_where_it_is_not_clear(tmp_path: Path) -> None:
    words = [PRESET, "source=rooms", "depth=none", "split.train=0.5", "split.val=0.5"]
    with pytest.raises(DepthmaskError, match="samples=null: means all pairs"):
        job_from_config(compose_root([*words, "source.rooms=4", "source.furniture=4"]))
