"""Blending by alpha, in all cases there are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.base import Patch


@pytest.mark.parametrize("below", [0, 1, 77, 127, 128, 200, 254, 255])
def test_every_value_and_alpha_is_the_rounded_fraction(below: int) -> None:
    value, alpha = np.mgrid[0:256, 0:256].astype(np.uint8)
    canvas = np.full((256, 256, 3), below, np.uint8)
    Alpha().blend(canvas, Patch(np.repeat(value[..., None], 3, axis=2), alpha), 0, 0)
    exact = value.astype(int) * alpha + below * (255 - alpha.astype(int))
    # x / 255 never ends in .5, since 255 is odd: one nearest level.
    expected = (2 * exact + 255) // 510
    assert np.array_equal(canvas, np.repeat(expected[..., None], 3, axis=2))


def test_the_integers_above_are_the_fractions() -> None:
    for value, alpha, below in ((200, 128, 10), (1, 1, 255), (255, 254, 0), (3, 127, 4)):
        canvas = np.full((1, 1, 3), below, np.uint8)
        patch = Patch(np.full((1, 1, 3), value, np.uint8), np.full((1, 1), alpha, np.uint8))
        Alpha().blend(canvas, patch, 0, 0)
        weight = Fraction(alpha, 255)
        assert canvas[0, 0, 0] == round(value * weight + below * (1 - weight))


def test_only_the_window_changes_and_channels_stay_apart() -> None:
    canvas = np.zeros((5, 6, 3), np.uint8)
    rgb = np.empty((2, 3, 3), np.uint8)
    rgb[:] = (10, 20, 30)
    alpha = np.full((2, 3), 255, np.uint8)
    alpha[0, 0] = 0
    Alpha().blend(canvas, Patch(rgb, alpha), 3, 2)
    expected = np.zeros((5, 6, 3), np.uint8)
    expected[3:5, 2:5] = (10, 20, 30)
    expected[3, 2] = 0
    assert np.array_equal(canvas, expected)


def test_views_serve_as_patches_and_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 256, (8, 9, 4), dtype=np.uint8)
    before = rgba.copy()
    views, copies = np.full((2, 9, 9, 3), 50, np.uint8)
    rgb, alpha = rgba[1:7, ::-1, :3], rgba[1:7, ::-1, 3]
    Alpha().blend(views, Patch(rgb, alpha), 2, 0)
    Alpha().blend(copies, Patch(rgb.copy(), alpha.copy()), 2, 0)
    assert np.array_equal(views, copies)
    assert np.array_equal(rgba, before)


def test_window_of_a_patch_is_the_patch_of_the_window() -> None:
    rgba = np.random.default_rng(1).integers(0, 256, (7, 9, 4), dtype=np.uint8)
    rows, columns = slice(2, 6), slice(1, 4)
    whole = Patch(rgba[..., :3], rgba[..., 3]).window(rows, columns)
    part = Patch(rgba[rows, columns, :3], rgba[rows, columns, 3])
    for name in ("rgb", "alpha"):
        assert np.array_equal(getattr(whole, name), getattr(part, name))
