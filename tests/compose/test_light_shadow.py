"""Shadows on the floor, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from depthmask.compose.light import SHADOW_DEPTH, cast_shadow, contact_shadow
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
    found = contact_shadow(background, layer)
    assert found is not None
    part, top, left = found
    whole = np.zeros(SIZE)
    whole[top : top + part.shape[0], left : left + part.shape[1]] = part
    return whole


def test_it_is_a_gaussian_on_the_floor() -> None:
    whole = shade(floor())
    half_m = 0.3
    for row, column in ((70, 60), (68, 60), (74, 66), (66, 52)):
        y = (row + 0.5 - 20) / 100
        z = 1.5 / y
        across = ((column + 0.5 - 60) / 100 * z) / half_m
        along = (z - 3.0) / (half_m * SHADOW_DEPTH) - 0.5
        expected = math.exp(-2 * (across**2 + along**2))
        assert whole[row, column] == pytest.approx(expected, abs=1e-5)
    # Darkest behind the foot, by half of its depth: at 3.07 m, in row 68.
    assert divmod(int(np.argmax(whole)), SIZE[1]) in [(68, 59), (68, 60)]
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
        assert contact_shadow(unknown, LAYER) is None
    assert contact_shadow(floor(), replace(LAYER, depth_m=None)) is None


def test_off_the_canvas_there_is_none_and_at_its_edge_a_part() -> None:
    assert contact_shadow(floor(), replace(LAYER, left=300)) is None
    at_edge = shade(floor(), replace(LAYER, left=-10))
    assert at_edge[68, 0] > 0.85
    assert (at_edge[:, 25:] == 0).all()


def test_the_canvas_is_darkened_by_strength() -> None:
    canvas = np.full((*SIZE, 3), 200, np.uint8)
    cast_shadow(canvas, floor(), LAYER, 0.5)
    expected = np.rint(200 * (1 - 0.5 * shade(floor())))
    assert np.array_equal(canvas, np.repeat(expected[..., None], 3, axis=2).astype(np.uint8))
