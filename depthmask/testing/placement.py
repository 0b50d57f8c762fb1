"""The requirements on a placement."""

from __future__ import annotations

import random as standard_random
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from depthmask.codec.metadata import plain_meta
from depthmask.data import Foreground, Layer, Scene
from depthmask.errors import NoPlaceError
from depthmask.plan.rng import Stream
from depthmask.stages.placement.base import Placement
from depthmask.testing.base import StageSuite
from depthmask.testing.job import SAMPLES, foregrounds, own_cache, same, scenes, small_job

_LARGEST = 1 << 15
"""Sides of boxes are shorter than this; larger ones would take all memory."""


class PlacementSuite(StageSuite):
    """Boxes depend only on scene, foreground and generator, and are visible."""

    stage_class: ClassVar[type[Placement]]

    def test_proposes_boxes(self, stage: Any) -> None:
        """Boxes have whole pixels and belong to the foreground; metadata is plain data."""
        for scene, foreground, flip in _cases():
            layer = _proposal(stage, scene, foreground, flip)
            if layer is None:
                continue
            assert isinstance(layer, Layer)
            assert (layer.foreground, layer.label) == (foreground.key, foreground.label)
            assert layer.flip is flip
            numbers = (layer.top, layer.left, layer.height, layer.width)
            assert all(type(number) is int for number in numbers), numbers
            assert 1 <= layer.height < _LARGEST
            assert 1 <= layer.width < _LARGEST
            assert layer.depth_m is None or layer.depth_m > 0
            plain_meta(layer.meta, f"the layer of {layer.foreground}")

    def test_all_chance_comes_from_its_generator(self, stage: Any) -> None:
        """The same generator gives the same box, whatever was placed before."""
        first = [_proposal(stage, *case) for case in _cases()]
        np.random.seed(1)
        standard_random.seed(1)
        backwards = [_proposal(stage, *case) for case in reversed(list(_cases()))]
        assert first == backwards[::-1]

    def test_finds_a_place_for_every_sample(self, stage: Any, tmp_path: Path) -> None:
        """Proposals pass the framework's checks of visibility and overlap."""
        with own_cache(tmp_path / "cache"):
            job = small_job(tmp_path / "out", placement=stage)
            samples = [job.sample(index) for index in range(SAMPLES)]
        assert all(sample.mask.any() for sample in samples)

    def test_a_sample_is_the_same_alone_and_among_others(self, stage: Any, tmp_path: Path) -> None:
        """A sample depends only on its number."""
        with own_cache(tmp_path / "cache"):
            job = small_job(tmp_path / "out", placement=stage)
            among = [job.sample(index) for index in range(SAMPLES)][4]
            alone = small_job(tmp_path / "out", placement=stage).sample(4)
        assert same(alone, among)


def _cases() -> list[tuple[Scene, Foreground, bool]]:
    cut_outs = foregrounds()
    by_key = {one.key: one for one in cut_outs}
    return [
        (
            replace(scene, foregrounds=(*(by_key[one.foreground] for one in scene.layers), new)),
            new,
            flip,
        )
        for scene, new, flip in product(scenes(), cut_outs, (False, True))
    ]


def _proposal(stage: Placement, scene: Scene, foreground: Foreground, flip: bool) -> Layer | None:
    if stage.reads_geometry and scene.background.depth_m is None:
        return None
    arranging, placing = (Stream(0, name).at(scene.index) for name in ("arrangement", "placement"))
    try:
        arrangement = stage.arrange(replace(scene, layers=()), arranging)
        return stage.place(replace(scene, arrangement=arrangement), foreground, flip, placing)
    except NoPlaceError:
        return None
