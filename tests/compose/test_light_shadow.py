"""Shadows on the floor, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from depthmask.compose import light
from depthmask.compose.light import SHADOW_DEPTH, cast_shadow
from depthmask.data import Background, Camera, Layer, Plane

SIZE = (100, 120)
CAMERA = Camera(f_px=100.0, cx=60.0, cy=20.0, height_m=1.5, pitch=0.0)
PLANE = Plane((0.0, 1.0, 0.0), 1.5)


def floor() -> Background:
    """A level camera 1.5 m above an endless floor, and a wall above its horizon."""
    y = (np.arange(SIZE[0]) + 0.5 - CAMERA.cy) / CAMERA.f_px
    depth = np.where(y > 0.05, 1.5 / np.maximum(y, 0.05), 30.0)
    depth_m = np.repeat(depth[:, None], SIZE[1], axis=1).astype(np.float32)
    return Background("floor", np.full((*SIZE, 3), 200, np.uint8), depth_m, CAMERA, PLANE)


# Its lower edge is row 70, at y = 0.5 and so 3 m away; 20 pixels at 3 m are 0.6 m.
LAYER = Layer("fg", "", 40, 50, 30, 20, False, depth_m=3.0)


def shade(background: Background, layer: Layer = LAYER) -> np.ndarray:
    """How dark each pixel of a white canvas becomes, 0..1, to a 255th."""
    canvas = np.full((*SIZE, 3), 255, np.uint8)
    first, stop = cast_shadow(canvas, background, layer, 1.0)
    changed = np.flatnonzero((canvas < 255).any(axis=(1, 2)))
    assert (first, stop) == ((changed[0], changed[-1] + 1) if len(changed) else (0, 0))
    assert (canvas == canvas[..., :1]).all()
    return 1 - canvas[..., 0] / 255


def test_it_is_a_gaussian_on_the_floor() -> None:
    whole = shade(floor())
    half_m = 0.3
    for row, column in ((70, 60), (68, 60), (74, 66), (66, 52)):
        y = (row + 0.5 - 20) / 100
        z = 1.5 / y
        across = ((column + 0.5 - 60) / 100 * z) / half_m
        along = (z - 3.0) / (half_m * SHADOW_DEPTH) - 0.5
        expected = math.exp(-2 * (across**2 + along**2))
        assert whole[row, column] == pytest.approx(expected, abs=0.5 / 255 + 1e-3)
    # Darkest behind the foot, by half of its depth: at 3.07 m, in row 68.
    assert whole[68, 59:61].max() == whole.max()
    assert whole.max() > 0.9


def test_what_is_no_floor_is_not_darkened() -> None:
    plain = floor()
    assert plain.depth_m is not None
    depth_m = plain.depth_m.copy()
    depth_m[:, 62:] *= 0.9
    depth_m[69, 58] = 0
    whole = shade(replace(plain, depth_m=depth_m))
    assert (whole[:, 62:] == 0).all()
    assert whole[69, 58] == 0
    assert whole[69, 57] > 0.5
    # A network's floor is not so exact.
    assert shade(replace(plain, depth_m=depth_m, guessed=True))[69, 63] < 1e-3
    depth_m[:, 62:] /= 0.92
    assert shade(replace(plain, depth_m=depth_m))[69, 63] == 0
    assert shade(replace(plain, depth_m=depth_m, guessed=True))[69, 63] > 0.1


def test_without_a_known_floor_there_is_none() -> None:
    for unknown in (
        replace(floor(), camera=None),
        replace(floor(), plane=None),
        replace(floor(), depth_m=None),
    ):
        assert not shade(unknown).any()
    assert not shade(floor(), replace(LAYER, depth_m=None)).any()


def test_off_the_canvas_there_is_none_and_at_its_edge_a_part() -> None:
    assert not shade(floor(), replace(LAYER, left=300)).any()
    at_edge = shade(floor(), replace(LAYER, left=-10))
    assert at_edge[68, 0] > 0.85
    assert (at_edge[:, 25:] == 0).all()


def test_the_canvas_is_darkened_by_strength() -> None:
    canvas = np.full((*SIZE, 3), 200, np.uint8)
    cast_shadow(canvas, floor(), LAYER, 0.5)
    expected = np.repeat(200 * (1 - 0.5 * shade(floor()))[..., None], 3, axis=2)
    assert np.abs(canvas - expected).max() <= 1
    unchanged = canvas.copy()
    assert cast_shadow(unchanged, floor(), LAYER, 0.0) == (0, 0)
    np.testing.assert_array_equal(unchanged, canvas)


@pytest.mark.parametrize("seed", range(12))
def test_its_window_holds_all_of_it(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tilted cameras, uneven floors, and layers close to the camera and at the border."""
    rng = np.random.default_rng(seed)
    pitch, height_m = rng.uniform(0, 0.7), rng.uniform(0.5, 2)
    normal = (0.0, math.cos(pitch), math.sin(pitch))
    y = (np.arange(SIZE[0]) + 0.5 - CAMERA.cy) / CAMERA.f_px
    depth = height_m / np.maximum(normal[1] * y + normal[2], 0.05)
    uneven = rng.uniform(0.95, 1.05, SIZE) * depth[:, None]
    background = replace(
        floor(),
        depth_m=uneven.astype(np.float32),
        plane=Plane(normal, height_m),
        guessed=bool(seed % 2),
    )
    row, width = int(rng.integers(40, 110)), int(rng.integers(4, 90))
    layer = replace(
        LAYER,
        top=row - 20,
        height=20,
        left=int(rng.integers(-30, 110)),
        width=width,
        depth_m=float(depth[min(row, 99)] * rng.uniform(0.9, 1.1)),
    )
    shaded = shade(background, layer)
    monkeypatch.setattr(light, "_box", lambda ellipse: None)
    np.testing.assert_array_equal(shaded, shade(background, layer))
