"""The floor in a depth map."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthmask.compose.floor import assumed_camera, fit_floor, pixel_rays, with_floor
from depthmask.data import Background, Camera, Plane

SIZE = (120, 160)


def view(pitch_deg: float, height_m: float, roll_deg: float = 0.0) -> tuple[Camera, Plane]:
    """A camera of 60 degrees, and the floor under it."""
    camera = assumed_camera(SIZE, 60)
    pitch, roll = math.radians(pitch_deg), math.radians(roll_deg)
    normal = (
        math.sin(roll) * math.cos(pitch),
        math.cos(roll) * math.cos(pitch),
        math.sin(pitch),
    )
    return camera, Plane(normal, height_m)


def room(camera: Camera, floor: Plane, wall_m: float = 5.0) -> np.ndarray:
    """Depth of a floor before a wall that faces the camera."""
    rays = pixel_rays(camera, SIZE)
    down = rays @ np.array(floor.normal)
    floor_m = np.where(down > 1e-6, floor.offset_m / np.maximum(down, 1e-6), np.inf)
    return np.minimum(floor_m, wall_m).astype(np.float32)


def angle_deg(found: Plane, true: Plane) -> float:
    cosine = float(np.dot(found.normal, true.normal))
    return math.degrees(math.acos(min(1.0, cosine)))


@pytest.mark.parametrize("pitch_deg", [0, 8, 20, 33])
@pytest.mark.parametrize("height_m", [0.6, 1.5, 2.4])
def test_a_floor_before_a_wall(pitch_deg: float, height_m: float) -> None:
    camera, floor = view(pitch_deg, height_m)
    depth_m = room(camera, floor, wall_m=7.0)
    fit = fit_floor(depth_m, pixel_rays(camera, SIZE))
    assert fit is not None
    assert angle_deg(fit.plane, floor) < 0.1
    assert fit.plane.offset_m == pytest.approx(height_m, rel=2e-3)


def test_noise_of_two_percent_moves_it_by_half_a_degree_at_most() -> None:
    camera, floor = view(12, 1.5)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noise = 1 + 0.02 * rng.standard_normal(SIZE)
        fit = fit_floor((room(camera, floor) * noise).astype(np.float32), pixel_rays(camera, SIZE))
        assert fit is not None
        assert angle_deg(fit.plane, floor) < 0.5
        assert fit.plane.offset_m == pytest.approx(1.5, rel=0.01)


def test_a_table_top_is_no_floor_where_the_floor_is_seen_below() -> None:
    camera, floor = view(20, 1.6)
    top = Plane(floor.normal, 0.8)
    depth_m, table_m = room(camera, floor), room(camera, top)
    # The table fills more of the lower part than the floor on both sides of it.
    depth_m[60:, 40:125] = table_m[60:, 40:125]
    fit = fit_floor(depth_m, pixel_rays(camera, SIZE))
    assert fit is not None
    assert fit.plane.offset_m == pytest.approx(1.6, rel=0.01)
    background = with_floor(Background("b", np.zeros((*SIZE, 3), np.uint8), depth_m), 60)
    assert background.floor is not None
    columns = background.floor % SIZE[1]
    rows = background.floor // SIZE[1]
    assert not ((rows > 62) & (columns > 42) & (columns < 122)).any()


@pytest.mark.parametrize(
    "depth_m",
    [
        np.full(SIZE, 3.0),
        np.zeros(SIZE),
        np.random.default_rng(0).uniform(1, 5, SIZE),
        np.broadcast_to(np.linspace(1, 5, 160), SIZE),
    ],
    ids=["wall", "invalid", "noise", "side wall"],
)
def test_no_floor(depth_m: np.ndarray) -> None:
    background = Background("b", np.zeros((*SIZE, 3), np.uint8), depth_m.astype(np.float32))
    found = with_floor(background, 60)
    assert found.plane is None
    assert found.floor is None


def test_without_depth_there_is_nothing_to_fit() -> None:
    background = Background("b", np.zeros((*SIZE, 3), np.uint8))
    assert with_floor(background, 60).floor is None


def test_height_and_pitch_of_the_camera_come_from_the_floor() -> None:
    camera, floor = view(15, 1.4)
    depth_m = room(camera, floor)
    found = with_floor(Background("b", np.zeros((*SIZE, 3), np.uint8), depth_m), 60)
    assert found.camera is not None
    assert found.camera.f_px == pytest.approx(camera.f_px)
    assert found.camera.height_m == pytest.approx(1.4, rel=1e-3)
    assert math.degrees(found.camera.pitch) == pytest.approx(15, abs=0.1)


def test_a_floor_that_the_source_knows_is_kept() -> None:
    camera, floor = view(15, 1.4)
    depth_m = room(camera, floor)
    depth_m[100:110, 20:40] = 1.0
    image = np.zeros((*SIZE, 3), np.uint8)
    found = with_floor(Background("b", image, depth_m, camera, floor), 60)
    assert (found.camera, found.plane) == (camera, floor)
    assert found.floor is not None
    shown = np.zeros(SIZE, bool)
    shown.flat[found.floor] = True
    assert shown[119].all()
    assert not shown[100:110, 20:40].any()


def test_the_same_depth_gives_the_same_floor() -> None:
    camera, floor = view(10, 1.5)
    noise = np.random.default_rng(1).normal(1, 0.03, SIZE)
    depth_m = (room(camera, floor) * noise).astype(np.float32)
    rays = pixel_rays(camera, SIZE)
    assert fit_floor(depth_m, rays) == fit_floor(depth_m.copy(), rays)
