"""Labels of samples whose backgrounds show instances by themselves, from any source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import orjson
import pytest

import depthmask
from depthmask import (
    DepthContract,
    FinishedSample,
    LabelCodec,
    LabelOutput,
    Labels,
    Size,
    setting,
    stage,
)
from depthmask.config.plugins import registry
from depthmask.config.provider import Provider
from depthmask.config.registry import Registered
from depthmask.data import Sample
from depthmask.stages.depth.layered import Layered
from depthmask.stages.geometry.auto import Auto
from depthmask.stages.labels.coco import Coco
from depthmask.stages.labels.instances import Instances
from depthmask.testing import SourceSuite
from depthmask.testing.job import CANVAS, SAMPLES, AnnotatedRooms, run_whole, small_job

LABELS = ("door", "window", "crowd")


def rooms() -> AnnotatedRooms:
    return AnnotatedRooms(rooms=2, furniture=4, oversample=1)


def test_the_suite_passes_such_a_source(tmp_path: Path) -> None:
    suite, source = SourceSuite(), rooms()
    suite.test_instances_lie_on_their_backgrounds(source)
    suite.test_metadata_reaches_the_samples(source, tmp_path)
    suite.test_a_key_always_gives_the_same_pixels(source)
    suite.test_an_identity_names_the_pixels(source)


def samples(folder: Path, **stages: Any) -> list[Sample]:
    labels = {"coco": Coco(), "instances": Instances()}
    chosen = {"source": rooms(), "labels": labels, "objects": [1, 3], **stages}
    job = small_job(folder, **chosen)
    return [job.sample(number) for number in range(SAMPLES)]


def test_own_instances_are_what_no_layer_covers(tmp_path: Path) -> None:
    source = rooms()
    for sample in samples(tmp_path):
        assert sample.instances is not None
        layers = sample.meta["layers"]
        is_layer = (sample.instances > 0) & (sample.instances <= len(layers))
        background = source.background(sample.meta["background"], CANVAS)
        known = {one.label: one for one in background.instances}
        own = sample.meta["background_instances"]
        for number, label in enumerate(own, start=len(layers) + 1):
            one = known[label["label"]]
            old = np.zeros(CANVAS, bool)
            old[one.window] = one.mask
            visible = old & ~is_layer
            assert label["area"] == visible.sum()
            assert label["visible"] == round(int(visible.sum()) / int(old.sum()), 4) >= 0.25
            assert label["amodal"]["area"] == old.sum()
            assert label["box"] == [one.top, one.left, *one.mask.shape]
            assert label["meta"] == {"room": sample.meta["background"]}
            assert label.get("iscrowd", 0) == (label["label"] == "crowd")
            # The crowd is behind the two others.
            assert not (sample.instances == number)[~visible].any()


def test_depth_does_not_change_them(tmp_path: Path) -> None:
    """Also where a geometry stage has completed the background."""
    plain = samples(tmp_path / "plain")
    deep = samples(tmp_path / "deep", depth=Layered(), geometry=Auto())
    for one, other in zip(plain, deep, strict=True):
        assert one.meta["background_instances"] == other.meta["background_instances"]


def test_the_coco_file_has_them(tmp_path: Path) -> None:
    job = small_job(tmp_path / "out", source=rooms(), labels={"coco": Coco()}, objects=[1, 3])
    run_whole(job)
    content = orjson.loads((tmp_path / "out/coco_train.json").read_bytes())
    names = {one["id"]: one["name"] for one in content["categories"]}
    assert set(LABELS) <= set(names.values())
    own = [one for one in content["annotations"] if one.get("of_background")]
    expected = [
        (sample.index, label["label"], label["area"])
        for sample in map(job.sample, range(SAMPLES))
        for label in sample.meta["background_instances"]
    ]
    assert [(one["image_id"], names[one["category_id"]], one["area"]) for one in own] == expected
    assert {names[one["category_id"]] for one in own if one["iscrowd"]} == {"crowd"}
    assert len(content["annotations"]) > len(own)


@stage("numbers-of-layers")
class NumbersOfLayers(Labels):
    """A number for each layer, and for more."""

    more: int = setting(0, help="values beyond those of layers")

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        return [LabelOutput("numbers", LabelCodec.layers, "numbers", 10)]

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        # Stages that know nothing of instances of backgrounds meet numbers of layers alone.
        assert sample.instances.max() <= len(sample.composite.layers)
        count = len(sample.composite.layers) + self.more
        return {"numbers": [{"one": number} for number in range(count)]}


def test_a_stage_may_label_layers_alone(tmp_path: Path) -> None:
    for sample in samples(tmp_path, labels={"numbers-of-layers": NumbersOfLayers()}):
        assert [one["one"] for one in sample.meta["layers"]] == [*range(len(sample.meta["layers"]))]
        assert not any("one" in label for label in sample.meta["background_instances"])


@stage("coco-of-layers")
class CocoOfLayers(Coco):
    """COCO's labels of layers alone."""

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        of_all = super().label(sample, rng)["coco"]
        return {"coco": of_all[: len(sample.composite.layers)]}


def test_a_coco_file_may_be_of_layers_alone(tmp_path: Path) -> None:
    job = small_job(tmp_path / "out", source=rooms(), labels={"coco-of-layers": CocoOfLayers()})
    plugin = Registered(CocoOfLayers, Provider("depthmask-layers", "1"))
    with patch.dict(registry().stages["labels"], {CocoOfLayers.name: plugin}):
        run_whole(job)
    annotations = orjson.loads((tmp_path / "out/coco_train.json").read_bytes())["annotations"]
    assert annotations
    assert not any(one.get("of_background") for one in annotations)


def test_a_stage_may_not_label_some(tmp_path: Path) -> None:
    with pytest.raises(depthmask.DepthmaskError, match="a mapping for each layer"):
        samples(tmp_path, labels={"numbers-of-layers": NumbersOfLayers(more=1)})
