"""Depth agrees with what hides what: over all placements, sources and geometry estimators."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.config.compose import compose_root
from depthmask.data import Composite, DepthContract, DepthKind, DepthMode, Float32, Size, UInt8
from depthmask.engine.generate import depths_of
from depthmask.engine.job import ShardLog
from depthmask.stage import stage
from depthmask.stages.depth.base import Estimator
from tests.support import tiny

SAMPLES = 60
COMMON = ("objects=[1,4]", f"samples={SAMPLES}", "placement.max_overlap=1")
PLACEMENTS = {
    "crossing": ("placement=random", "placement.min_scale=0.3"),
    "inside": ("placement=random", "placement.positions=inside", "placement.max_scale=1.4"),
    "canvas": ("placement=random", "placement.positions=canvas"),
    "grid": ("placement=grid", "placement.jitter=0.9"),
    "ground": ("placement=ground",),
}
ROOMS = ("source=rooms", "source.rooms=4", "source.furniture=6", "size=[48,64]")


@stage("wavy")
class Wavy(Estimator):
    """Depth as a network guesses it: a floor that rises, with waves of half a metre."""

    cache_key = "wavy"

    def contract(self, size: Size, geometry: DepthContract | None = None) -> DepthContract:
        return DepthContract(
            DepthKind.metric_z, "m", 0.1, 20.0, 0.0, True, size, "wavy", None, DepthMode.estimated
        )

    def estimate(self, images: UInt8) -> Float32:
        height, width = images.shape[1:3]
        rows, columns = np.indices((height, width), np.float32)
        waves = 0.5 * np.sin(columns / 3) * np.cos(rows / 2)
        floor = np.clip(height * 1.5 / np.maximum(rows - height / 3, 1), 0.8, 6)
        return np.stack([(floor + waves).astype(np.float32)] * len(images))


def composed(words: tuple[str, ...], geometry: Any = None) -> tuple[list[Composite], Any]:
    """The composites of a run with `depth=layered`, and its depth stage."""
    root = compose_root(["depth=layered", *COMMON, *words])
    if geometry is not None:
        root = replace(root, geometry=geometry)
    job = depthmask.virtual(root).job
    batches = job._composed(range(SAMPLES), ShardLog())
    return [one for batch in batches for one in batch], root.depth


def require_order(composites: list[Composite], depth: Any) -> int:
    """Assert the order in each composite; returns the number of layers that hide another."""
    hiding = 0
    for one in composites:
        background_m = one.background.depth_m
        assert background_m is not None
        before = background_m
        for count, pixels in enumerate(one.layer_pixels, start=1):
            (after,) = depths_of(depth, [replace(one, layer_pixels=one.layer_pixels[:count])])
            assert after is not None
            shown = np.zeros(after.shape, bool)
            shown[pixels.window] = pixels.shown
            assert np.array_equal(after[~shown], before[~shown])
            known = shown & (before > 0)
            # What it covers: the background, or the layers behind it.
            assert (after[known] <= before[known]).all()
            assert (after[shown] > 0).all()
            for behind in one.layer_pixels[: count - 1]:
                hidden = np.zeros(after.shape, bool)
                hidden[behind.window] = behind.shown
                if (hidden & shown).any():
                    hiding += 1
                    own, other = (one.layers[part.number - 1] for part in (pixels, behind))
                    assert own.depth_m is not None
                    assert other.depth_m is not None
                    assert own.depth_m <= other.depth_m
            before = after
        assert (before[one.mask == 0] == background_m[one.mask == 0]).all()
    return hiding


@pytest.mark.parametrize("relief", ["true", "false"])
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_rooms_with_known_depth(placement: str, relief: str) -> None:
    words = (*ROOMS, "geometry=source", f"depth.relief={relief}", *PLACEMENTS[placement])
    assert require_order(*composed(words)) > 10


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_rooms_with_guessed_depth(placement: str) -> None:
    assert require_order(*composed((*ROOMS, *PLACEMENTS[placement]), Wavy())) > 10


@pytest.mark.parametrize("geometry", [None, Wavy()], ids=["source", "guessed"])
@pytest.mark.parametrize("placement", [name for name in PLACEMENTS if name != "ground"])
def test_assets(placement: str, geometry: Estimator | None, tmp_path: Path) -> None:
    assets = tiny.make_assets(tmp_path / "assets")
    words = ("source=assets", f"source.root={assets}", "size=[40,40]", *PLACEMENTS[placement])
    words = (*words, "geometry=source") if geometry is None else words
    assert require_order(*composed(words, geometry)) > 10


def test_glass_has_depth_and_labels(tmp_path: Path) -> None:
    """Alpha of 120 everywhere; 90 within an opaque rim; and a wire of 60, thinner than a pixel."""
    assets = tiny.make_assets(tmp_path / "assets")
    for path in (assets / "fg").iterdir():
        path.unlink()
    pane, cup, wire = (np.full((20, 20, 4), 200, np.uint8) for _ in range(3))
    pane[..., 3], cup[2:-2, 2:-2, 3] = 120, 90
    cup[[0, 1, -2, -1], :, 3] = cup[:, [0, 1, -2, -1], 3] = 255
    wire[..., 3] = 0
    wire[:, 9, 3] = 60
    for name, rgba in (("pane", pane), ("cup", cup), ("wire", wire)):
        Image.fromarray(rgba).save(assets / "fg" / f"{name}.png")
    words = [*tiny.words(assets, tmp_path / "out", "labels=[coco,instances]", "samples=30")]
    for sample in depthmask.virtual([*words, "placement.positions=inside", "objects=1"]):
        (layer,) = sample.meta["layers"]
        assert sample.instances is not None
        assert sample.depth is not None
        visible = np.count_nonzero(sample.mask)
        assert layer["area"] == layer["amodal"]["area"] == visible
        assert np.array_equal(sample.instances > 0, sample.mask > 0)
        assert np.allclose(sample.depth[sample.mask > 0], layer["depth_m"], atol=1e-4)


def test_the_metadata_has_the_depth_of_the_map() -> None:
    samples = depthmask.virtual(
        ["depth.relief=false", "geometry=source", "samples=40", *ROOMS, *PLACEMENTS["crossing"]]
    )
    for sample in samples:
        (layer,) = sample.meta["layers"]
        assert sample.depth is not None
        nearest = sample.depth[sample.mask == 255]
        assert np.allclose(nearest, layer["depth_m"], atol=1e-4)
