"""Scenes on the floor of made rooms: labels, occlusion and depth against the truth."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

import depthmask
from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.data import Sample
from depthmask.engine.from_config import job_from_config
from depthmask.engine.generate import Generate

WORDS = [
    "placement=ground",
    "objects=[1,4]",
    "source.rooms=6",
    "source.furniture=12",
    "size=[96,128]",
    "samples=60",
    "shard_size=20",
    "runner.workers=1",
    "encode.instances=png",
    "encode.labels=coco",
    # Flat, so that the truth can be told by hand; relief has tests of its own.
    "depth.relief=false",
]

# pycocotools 2.0.11 hands NumPy 2 arrays without a `copy` argument.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def job() -> Generate:
    return job_from_config(compose_root(WORDS))


@pytest.fixture(scope="module")
def samples(job: Generate) -> list[Sample]:
    return [job.sample(index) for index in range(60)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scenes") / "out"
    assert main([*WORDS, f"output={out}"]) == 0
    return out


def test_every_object_stands_on_the_floor_at_its_depth(
    job: Generate, samples: list[Sample]
) -> None:
    for sample in samples:
        background = job._background(sample.meta["background"])
        assert background.floor is not None
        assert background.depth_m is not None
        for layer in sample.meta["layers"]:
            top, left, height, width = layer["box"]
            row, column = top + height - 1, left + width // 2
            assert row * 128 + column in background.floor
            assert layer["depth_m"] == pytest.approx(background.depth_m[row, column], abs=1e-4)


def test_layered_depth_is_that_of_the_nearest_thing_at_each_pixel(
    job: Generate, samples: list[Sample]
) -> None:
    """Each object as a flat picture at its depth, cast anew: no code of the composer's."""
    wrong = pixels = 0
    for sample in samples:
        background = job._background(sample.meta["background"])
        assert background.depth_m is not None
        expected = background.depth_m.copy()
        mixed = np.zeros(expected.shape, bool)
        for layer in sample.meta["layers"]:
            alpha = _alpha_on_canvas(job, layer, expected.shape)
            solid = (alpha >= 128) & (layer["depth_m"] <= expected + 1e-4)
            expected[solid] = layer["depth_m"]
            mixed |= (alpha > 0) & (alpha < 255)
        assert sample.depth is not None
        wrong += int(np.count_nonzero(np.abs(sample.depth - expected)[~mixed] > 1e-3))
        pixels += int(np.count_nonzero(~mixed))
    assert wrong <= 0.005 * pixels


def _alpha_on_canvas(job: Generate, layer: dict[str, Any], size: tuple[int, ...]) -> np.ndarray:
    from PIL import Image

    rgba = job.root.source.foreground(layer["foreground"], job.root.canvas).rgba
    top, left, height, width = layer["box"]
    # Across, then down: Pillow 13 begins with what is faster.
    picture = Image.fromarray(np.ascontiguousarray(rgba[..., 3]))
    for step in ((width, picture.height), (width, height)):
        picture = picture.resize(step, Image.Resampling.LANCZOS)
    alpha = np.asarray(picture)
    canvas = Image.new("L", (size[1], size[0]))
    canvas.paste(Image.fromarray(alpha[:, ::-1] if layer["flip"] else alpha), (left, top))
    return np.asarray(canvas)


def test_visible_parts_are_as_much_as_asked_for(job: Generate, samples: list[Sample]) -> None:
    least = job.root.placement.min_visible
    shown = [layer["visible"] for sample in samples for layer in sample.meta["layers"]]
    assert min(shown) >= least - 5e-5
    assert any(one < 0.9 for one in shown), "some are hidden in part"


def test_coco_file_says_what_the_instance_maps_show(job: Generate, made: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(made / "coco_train.json"))
    dataset = depthmask.open(made)
    assert sorted(coco.getImgIds()) == list(range(60))
    seen = 0
    for index, sample in enumerate(dataset):
        (image,) = coco.loadImgs([index])
        assert (image["height"], image["width"]) == sample.mask.shape
        assert image["file_name"] == f"{sample.key}.jpg"
        assert sample.instances is not None
        annotations = coco.loadAnns(coco.getAnnIds([index]))
        numbers = [number for number in np.unique(sample.instances) if number]
        assert len(annotations) == len(numbers)
        for number, annotation in zip(numbers, annotations, strict=True):
            mask = sample.instances == number
            assert np.array_equal(coco.annToMask(annotation), mask)
            rows, columns = np.nonzero(mask)
            left, top = columns.min(), rows.min()
            box = [left, top, columns.max() + 1 - left, rows.max() + 1 - top]
            assert annotation["bbox"] == box
            assert annotation["area"] == mask.sum() > 0
            layer = sample.meta["layers"][number - 1]
            (category,) = coco.loadCats([annotation["category_id"]])
            assert category["name"] == layer["label"]
            assert annotation["distance_m"] == layer["depth_m"]
            whole = coco.annToMask({"image_id": index, **annotation["amodal"]})
            expected = _alpha_on_canvas(job, layer, mask.shape) >= 128
            assert np.array_equal(whole, expected)
            assert not np.any(mask & ~expected), "what is seen is a part of the whole"
            assert annotation["amodal"]["area"] == expected.sum() >= mask.sum()
            seen += 1
    assert seen >= 60


def test_the_written_samples_are_those_rendered_alone(made: Path, samples: list[Sample]) -> None:
    for found, expected in zip(depthmask.open(made), samples, strict=True):
        assert json.loads(json.dumps(expected.meta)) == found.meta
        assert np.array_equal(found.mask, expected.mask)
        assert np.array_equal(found.instances, expected.instances)  # type: ignore[arg-type]


def test_heights_by_label_from_the_command_line() -> None:
    words = [*WORDS, "placement.heights={chair:[0.8,0.9],person:1.7}"]
    assert compose_root(words).placement.heights == {"chair": [0.8, 0.9], "person": 1.7}


def test_a_sample_without_floor_draws_another_background(samples: list[Sample]) -> None:
    # Nothing lies within so narrow a range in most of the rooms.
    words = [*WORDS, "placement.distance_m=[5.0,5.2]", "samples=40"]
    job = job_from_config(compose_root(words))
    metas = [job.sample(index).meta for index in range(40)]
    assert any(meta.get("attempt", 0) > 0 for meta in metas)
    assert all(5 <= layer["depth_m"] <= 5.2 for meta in metas for layer in meta["layers"])


def test_redraws_are_counted_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = [*WORDS, "placement.distance_m=[5.0,5.2]", "samples=40", f"output={out}"]
    assert main(words) == 0
    dataset = depthmask.open(out)
    attempts = [sample.meta.get("attempt", 0) for sample in dataset]
    redrawn, redraws = sum(one > 0 for one in attempts), sum(attempts)
    assert dataset.info["counts"] == {"redrawn": redrawn, "redraws": redraws}
    expected = f"redrawn   {redrawn} samples in {redraws} draws, since their assets"
    text = " ".join(capsys.readouterr().err.split())
    assert " ".join(expected.split()) in text
    reason = "no floor within the distances: background"
    assert reason in text
    assert "widen placement.distance_m" in text
    assert 'docs/assets.md, "When it looks wrong"' in text
    assert main(["report", str(out)]) == 0
    assert reason in (out / "report.html").read_text()


def test_where_no_place_is_left_the_settings_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*WORDS, "placement.distance_m=[40,50]", f"output={tmp_path / 'out'}"]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert "no floor within placement.distance_m=[40,50]" in error
    assert "30 other draws" in error
