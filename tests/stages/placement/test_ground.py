"""Placement on the floor."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from depthmask.compose.floor import assumed_camera, pixel_rays, with_floor
from depthmask.data import Background, Camera, Foreground, Layer, Plane, Scene
from depthmask.errors import NoPlaceError, SettingError
from depthmask.stages.placement.ground import Ground

SIZE = (240, 320)


def floor_view(pitch_deg: float, height_m: float = 0.8) -> Background:
    """A floor to 10 m, and the camera above it."""
    pitch = math.radians(pitch_deg)
    camera = replace(assumed_camera(SIZE, 60), height_m=height_m, pitch=pitch)
    plane = Plane((0.0, math.cos(pitch), math.sin(pitch)), height_m)
    down = pixel_rays(camera, SIZE) @ np.array(plane.normal)
    depth_m = np.minimum(height_m / np.maximum(down, 1e-6), 10).astype(np.float32)
    image = np.zeros((*SIZE, 3), np.uint8)
    return with_floor(Background("b", image, depth_m, camera, plane), 60)


def person(height_m: float | None = 1.75, label: str = "person") -> Foreground:
    return Foreground("p", label, np.full((150, 50, 4), 255, np.uint8), None, height_m)


def layers(stage: Ground, background: Background, what: Foreground, count: int) -> list[Layer]:
    rng = np.random.default_rng(0)
    return [stage.place(Scene(0, background), what, False, rng) for _ in range(count)]


def rows_by_camera(camera: Camera, pitch: float, distance_m: float, height_m: float) -> float:
    """Rows of an upright pole at this depth, by turning the camera instead of the floor."""

    # Along the floor; the depth is along the tilted axis.
    def row(above_floor_m: float, ahead_m: float) -> float:
        down = camera.height_m - above_floor_m
        y = down * math.cos(pitch) - ahead_m * math.sin(pitch)
        z = down * math.sin(pitch) + ahead_m * math.cos(pitch)
        return camera.cy + camera.f_px * y / z

    ahead_m = (distance_m - camera.height_m * math.sin(pitch)) / math.cos(pitch)
    return row(0, ahead_m) - row(height_m, ahead_m)


@pytest.mark.parametrize("pitch_deg", [0, 10, 25])
@pytest.mark.parametrize("distance_m", [2.0, 4.0, 6.0])
def test_a_person_is_as_high_as_the_camera_sees_it(distance_m: float, pitch_deg: float) -> None:
    background = floor_view(pitch_deg)
    assert background.camera is not None
    stage = Ground(distance_m=[distance_m - 0.2, distance_m + 0.2])
    found = layers(stage, background, person(), 50)
    assert found
    for one in found:
        assert one.depth_m is not None
        expected = rows_by_camera(background.camera, background.camera.pitch, one.depth_m, 1.75)
        assert one.height == pytest.approx(expected, abs=1)
        assert one.width == pytest.approx(one.height / 3, abs=0.5)


def test_the_foot_is_a_floor_pixel_within_the_range_and_has_its_depth() -> None:
    background = floor_view(12)
    assert background.floor is not None
    assert background.depth_m is not None
    for one in layers(Ground(distance_m=[2, 4]), background, person(), 300):
        row, column = one.top + one.height - 1, one.left + one.width // 2
        assert row * SIZE[1] + column in background.floor
        assert one.depth_m == background.depth_m[row, column]
        assert one.depth_m is not None
        assert 2 <= one.depth_m <= 4


def test_a_narrow_range_is_found_and_one_without_floor_is_said() -> None:
    background = floor_view(12)
    assert len(layers(Ground(distance_m=[3.0, 3.02]), background, person(), 20)) == 20
    with pytest.raises(NoPlaceError, match=r"no floor within placement.distance_m=\[30,40\]"):
        layers(Ground(distance_m=[30, 40]), background, person(), 1)
    with pytest.raises(NoPlaceError, match="b has no floor"):
        layers(Ground(), replace(background, plane=None, floor=None), person(), 1)


def test_heights_come_from_the_source_then_the_label_then_the_range() -> None:
    stage = Ground(heights={"chair": [0.8, 0.9], "cup": 0.1}, height_m=[2.0, 2.0])
    assert stage._height_range_m(person(1.1, "chair")) == (1.1, 1.1)
    assert stage._height_range_m(person(None, "chair")) == (0.8, 0.9)
    assert stage._height_range_m(person(None, "cup")) == (0.1, 0.1)
    assert stage._height_range_m(person(None, "tree")) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"height_m": [2.0, 1.0]}, "height_m"),
        ({"distance_m": [1.0]}, "distance_m"),
        ({"heights": {"cat": "tall"}}, "heights"),
        ({"heights": {"cat": [1, 2, 3]}}, "heights"),
        ({"heights": {"cat": -1}}, "heights"),
        ({"heights": [1, 2]}, "heights"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], name: str) -> None:
    with pytest.raises(SettingError) as caught:
        Ground(**settings)  # type: ignore[arg-type]
    assert caught.value.name == name


@pytest.mark.parametrize("height", [90, 20.5, True, math.nan, [1, 90], 0])
def test_heights_by_label_are_metres(height: object) -> None:
    with pytest.raises(SettingError, match=r"^heights=.*at most 20(; [0-9.]+ cm is [0-9.]+)?$"):
        Ground(heights={"cat": height})


def test_reasons_of_no_place() -> None:
    def reason(stage: Ground, background: Background, what: Foreground) -> tuple[str, str | None]:
        with pytest.raises(NoPlaceError) as caught:
            layers(stage, background, what, 1)
        return caught.value.reason.partition(";")[0], caught.value.foreground

    view = floor_view(0)
    assert reason(Ground(), replace(view, floor=None), person()) == ("no floor is found", None)
    far = Ground(distance_m=[30, 40])
    assert reason(far, view, person()) == ("no floor within the distances", None)
    wide = Foreground("w", "w", np.full((1, 900, 4), 255, np.uint8), None, 20.0)
    assert reason(Ground(), view, wide) == ("too tall for its place", "w")
