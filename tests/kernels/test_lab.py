from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthmask.kernels import lab
from depthmask.kernels.compiled import native
from depthmask.kernels.lab import UNIT, LabMove, LabSums

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")
STILL = LabMove(0, UNIT, 0, 0, 0)


def _patch(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 60, 2)
    rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
    return rgb, rng.integers(0, 3, (height, width), np.uint8) * 127


@COMPILED
@pytest.mark.parametrize("seed", range(10))
def test_the_fallbacks_give_the_same_numbers(seed: int) -> None:
    rgb, alpha = _patch(seed)
    for steps in ((1, 1), (2, 3), (100, 1)):
        assert lab.lab_sums(rgb, alpha, 127, steps) == lab._lab_sums(rgb, alpha, 127, steps)
        assert lab.lab_sums(rgb, steps=steps) == lab._lab_sums(rgb, None, 0, steps)
    rng = np.random.default_rng(seed)
    move = LabMove(*(int(one) for one in rng.integers(-100, 100, 5) * UNIT))
    move = move._replace(factor=int(rng.integers(UNIT // 2, 2 * UNIT)))
    np.testing.assert_array_equal(
        lab.moved_in_lab(rgb, alpha, move), lab._moved_in_lab(rgb, alpha, move)
    )


@COMPILED
@pytest.mark.parametrize(
    "move",
    [
        LabMove(0, 2 * UNIT, 100 * UNIT, 0, -150 * UNIT),
        LabMove(0, 2 * UNIT, 300 * UNIT, 90 * UNIT, 90 * UNIT),
        LabMove(-1000 * UNIT, 20 * UNIT, 5, 0, 0),
        LabMove(100 * UNIT, UNIT // 2, -400 * UNIT, -300 * UNIT, 300 * UNIT),
    ],
)
def test_moves_beyond_all_colours(move: LabMove) -> None:
    rgb, alpha = _patch(3)
    np.testing.assert_array_equal(
        lab.moved_in_lab(rgb, alpha, move), lab._moved_in_lab(rgb, alpha, move)
    )


def test_the_values_are_those_of_opencv() -> None:
    rgb, _ = _patch(3)
    sums = lab.lab_sums(rgb)
    exact = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float64)
    lightness, a, b = exact.reshape(-1, 3).T
    assert sums.pixels == len(lightness)
    for made, expected in ((sums.lightness, lightness), (sums.a, a), (sums.b, b)):
        assert made / sums.pixels / 256 == pytest.approx(expected.mean(), abs=0.1)
    deviation = np.sqrt(sums.squares / sums.pixels - (sums.lightness / sums.pixels) ** 2) / 256
    assert deviation == pytest.approx(lightness.std(), abs=0.1)


def test_black_white_and_grey() -> None:
    black, white, grey = (np.full((1, 1, 3), one, np.uint8) for one in (0, 255, 119))
    assert lab.lab_sums(black) == LabSums(1, -1, 1, 0, 0)
    assert lab.lab_sums(white) == LabSums(1, 100 * 256, (100 * 256) ** 2, 0, 0)
    assert lab.lab_sums(grey).lightness / 256 == pytest.approx(50, abs=0.2)


def test_nothing_moves_without_a_move() -> None:
    values = np.arange(0, 256, 5, dtype=np.uint8)
    rgb = np.stack(np.meshgrid(values, values, values), axis=-1).reshape(-1, len(values), 3)
    made = lab.moved_in_lab(rgb, np.full(rgb.shape[:2], 255, np.uint8), STILL)
    difference = np.abs(made.astype(int) - rgb)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.02


def test_clear_pixels_stay() -> None:
    rgb, alpha = _patch(5)
    made = lab.moved_in_lab(rgb, alpha, STILL._replace(lightness=30 * UNIT))
    np.testing.assert_array_equal(made[alpha == 0], rgb[alpha == 0])
    assert made[alpha > 0].mean() > rgb[alpha > 0].mean() + 20


def test_views_and_nothing_at_all() -> None:
    rgb, alpha = _patch(6)
    mirrored = lab.lab_sums(rgb[:, ::-1], alpha[:, ::-1], 127)
    assert mirrored == lab.lab_sums(rgb, alpha, 127)
    assert lab.lab_sums(rgb[:0]).pixels == 0


@COMPILED
def test_arrays_that_do_not_fit_are_refused() -> None:
    rgb, alpha = _patch(7)
    with pytest.raises(ValueError, match=r"fit|expected"):
        lab.lab_sums(rgb, np.zeros((61, 61), np.uint8))
    with pytest.raises(ValueError, match=r"fit|expected"):
        lab.lab_sums(rgb, steps=(0, 1))
    with pytest.raises(ValueError, match=r"fit|expected"):
        lab.moved_in_lab(rgb, np.zeros((61, 61), np.uint8), STILL)
    with pytest.raises(ValueError, match=r"fit|expected"):
        lab.moved_in_lab(alpha, alpha, STILL)
