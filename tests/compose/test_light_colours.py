"""Colours moved towards those of the surroundings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthmask.compose.light import match_colours
from depthmask.data import UInt8
from depthmask.stages.blend.base import Patch

RANDOM = np.random.default_rng(0)
THING = RANDOM.integers(60, 120, (12, 10, 3), dtype=np.uint8)
CANVAS = RANDOM.integers(150, 200, (40, 40, 3), dtype=np.uint8)
PATCH = Patch(THING, np.full((12, 10), 255, np.uint8))


def lab(rgb: UInt8) -> np.ndarray:
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)).reshape(-1, 3)


@pytest.mark.parametrize("amount", [0.25, 0.5, 1.0])
def test_lightness_moves_by_the_amount_and_hue_by_half_of_the_cast(amount: float) -> None:
    tinted = CANVAS.copy()
    tinted[..., 0] += 40
    found = match_colours(tinted, PATCH, 14, 15, amount)
    # Surroundings: half the patch's size beyond it on every side.
    there = lab(tinted[8:32, 10:30]).mean(axis=0)
    own = lab(THING).mean(axis=0)
    moved = lab(found.rgb).mean(axis=0)
    assert moved[0] == pytest.approx(own[0] + amount * (there[0] - own[0]), abs=0.5)
    assert moved[1:] == pytest.approx(own[1:] + amount * there[1:] / 2, abs=0.7)
    assert np.array_equal(found.alpha, PATCH.alpha)


def test_nothing_moves_for_nothing() -> None:
    found = match_colours(CANVAS, PATCH, 14, 15, 0.0)
    assert np.abs(found.rgb.astype(int) - THING).max() <= 1


def test_a_plain_wall_leaves_half_of_the_contrast() -> None:
    found = match_colours(np.full((40, 40, 3), 170, np.uint8), PATCH, 14, 15, 1.0)
    ratio = lab(found.rgb)[:, 0].std() / lab(THING)[:, 0].std()
    assert ratio == pytest.approx(0.5, abs=0.02)


def test_clear_pixels_do_not_count() -> None:
    rgb, alpha = THING.copy(), PATCH.alpha.copy()
    alpha[:, :5] = 0
    rgb[:, :5] = 255
    half = match_colours(CANVAS, Patch(rgb, alpha), 14, 15, 1.0)
    there = lab(CANVAS[8:32, 10:30]).mean(axis=0)
    assert lab(half.rgb[:, 5:].copy()).mean(axis=0)[0] == pytest.approx(there[0], abs=0.5)
    none = Patch(rgb, np.zeros_like(alpha))
    assert match_colours(CANVAS, none, 14, 15, 1.0) is none
