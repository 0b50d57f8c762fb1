"""The geometry stages: auto, source, none, and estimators in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from depthmask.data import (
    Background,
    Camera,
    Composite,
    DepthContract,
    DepthKind,
    DepthMode,
    Float32,
    Plane,
    Size,
    UInt8,
)
from depthmask.errors import UsageError
from depthmask.stage import setting, stage
from depthmask.stages.depth.base import Estimator
from depthmask.stages.depth.fastdepth import FastDepth
from depthmask.stages.geometry.auto import Auto
from depthmask.stages.geometry.estimated import EstimatedGeometry, as_geometry
from depthmask.stages.geometry.none import NoGeometry
from depthmask.stages.geometry.source import SourceGeometry

SIZE = (4, 5)
CAMERA, PLANE = Camera(1, 2, 3, 4, 5), Plane((0.0, 1.0, 0.0), 1.0)


@stage("flat")
class Flat(Estimator):
    """The red channel as metres."""

    halves: bool = setting(False, help="maps of half the size")

    @property
    def batch_size(self) -> int:
        return 3

    @property
    def cache_key(self) -> str:
        return "flat-1"

    def contract(self, size: Size, geometry: DepthContract | None) -> DepthContract:
        return DepthContract(
            kind=DepthKind.metric_z,
            unit="m",
            near=0.5,
            far=20.0,
            invalid=0.0,
            clip=True,
            resolution=(size[0] // 2, size[1] // 2) if self.halves else size,
            estimator="flat",
            weights_sha256="abc",
            mode=DepthMode.estimated,
        )

    def annotate(self, composites: Sequence[Composite]) -> list[Float32]:
        return list(self.estimate(np.stack([one.image for one in composites])))

    def estimate(self, images: UInt8) -> Float32:
        return images[..., 0].astype(np.float32)


def room(key: str, red: int, depth: float | None = None) -> Background:
    depth_m = None if depth is None else np.full(SIZE, depth, np.float32)
    return Background(key, np.full((*SIZE, 3), red, np.uint8), depth_m, CAMERA, PLANE)


@pytest.fixture
def auto(monkeypatch: pytest.MonkeyPatch) -> Auto:
    """With a fallback that costs nothing."""
    stage = Auto()
    stage.__dict__["_fallback"] = EstimatedGeometry(Flat())
    return stage


def depths(backgrounds: Sequence[Background]) -> list[float | None]:
    return [None if one.depth_m is None else float(one.depth_m[0, 0]) for one in backgrounds]


def test_auto_asks_the_network_for_what_the_source_does_not_know(auto: Auto) -> None:
    rooms = [room("a", 3), room("b", 9, 2.0), room("c", 4)]
    found = auto.measure(rooms)
    assert depths(found) == [3.0, 2.0, 4.0]
    assert [one.key for one in found] == ["a", "b", "c"]
    # The camera is the picture's; the plane belongs to the source's depth.
    assert [one.camera for one in found] == [CAMERA] * 3
    assert [one.plane is None for one in found] == [True, False, True]
    assert depths(auto.measure([room("b", 9, 2.0)])) == [2.0]
    assert auto.needs_measuring(False)
    assert not auto.needs_measuring(True)
    assert (auto.batch_size, auto.cache_key) == (3, "flat-1")


def test_auto_promises_what_all_backgrounds_keep(auto: Auto) -> None:
    own, guessed = SourceGeometry().contract(SIZE, 1), Flat().contract(SIZE, None)
    assert auto.contract(SIZE, 1) == own
    assert auto.contract(SIZE, 0) == guessed
    mixed = auto.contract(SIZE, 0.5)
    assert mixed is not None
    assert mixed.near <= min(own.near, guessed.near)
    assert mixed.far >= max(own.far, guessed.far)
    assert mixed.estimator == "source, flat"
    assert mixed.mode is DepthMode.estimated
    assert mixed.weights_sha256 == "abc"


def test_auto_falls_back_to_fastdepth() -> None:
    contract = Auto().contract((64, 48), 0)
    assert contract is not None
    assert contract == FastDepth().contract((64, 48), None)
    assert contract.resolution == (64, 48)


def test_source_takes_depth_as_it_is() -> None:
    rooms = [room("a", 1, 2.0), room("b", 1, 3.0)]
    assert SourceGeometry().measure(rooms) == rooms
    assert not SourceGeometry().needs_measuring(False)
    contract = SourceGeometry().contract(SIZE, 1)
    assert (contract.mode, contract.unit, contract.resolution) == (DepthMode.exact, "m", SIZE)
    assert (contract.near, contract.far, contract.invalid) == (0.001, 65.535, 0.0)


def test_source_names_the_background_without_depth() -> None:
    with pytest.raises(UsageError, match=r"background b has no depth .* choose geometry=auto"):
        SourceGeometry().measure([room("a", 1, 2.0), room("b", 1)])


def test_none_drops_what_the_source_knows() -> None:
    (found,) = NoGeometry().measure([room("a", 1, 2.0)])
    assert (found.depth_m, found.camera, found.plane) == (None, None, None)
    assert found.image is not None
    assert NoGeometry().contract(SIZE, 1) is None
    assert not NoGeometry().needs_measuring(False)


def test_an_estimator_measures_all_backgrounds() -> None:
    geometry = as_geometry(Flat())
    assert isinstance(geometry, EstimatedGeometry)
    assert (geometry.name, geometry.batch_size, geometry.cache_key) == ("flat", 3, "flat-1")
    assert geometry.needs_measuring(True)
    found = geometry.measure([room("a", 3, 2.0), room("b", 5)])
    assert depths(found) == [3.0, 5.0]
    assert [(one.camera, one.plane) for one in found] == [(CAMERA, None)] * 2
    assert geometry.contract(SIZE, 0) == Flat().contract(SIZE, None)


def test_an_estimator_with_smaller_maps_is_refused() -> None:
    with pytest.raises(UsageError, match=r"geometry=flat: its maps are \(2, 2\)"):
        as_geometry(Flat(halves=True)).contract(SIZE, 0)


def test_a_geometry_stays_itself() -> None:
    for geometry in (Auto(), SourceGeometry(), NoGeometry()):
        assert as_geometry(geometry) is geometry
    assert (SourceGeometry().batch_size, SourceGeometry().cache_key) == (1, "source")
    assert replace(room("a", 1)).key == "a"
