from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from depthmask.kernels import shadow
from depthmask.kernels.compiled import native
from depthmask.kernels.shadow import Ellipse

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")
ELLIPSE = Ellipse(
    foot=(0.0, 1.5, 3.0),
    normal=(0.0, 1.0, 0.0),
    foot_m=1.5,
    offset_m=1.5,
    off_m=0.08,
    beside=(1.0, 0.0, 0.0),
    half_m=0.4,
    forward=(0.0, 0.0, 1.0),
    deep_m=0.3,
)


def _scene(seed: int) -> tuple[Any, Any, Any, Any]:
    """A canvas over an uneven floor, 1.5 m below the camera; some of its depth is invalid."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 90, 2)
    rows = np.linspace(0.3, 0.7, height)
    columns = np.linspace(-0.3, 0.3, width)
    uneven = rng.uniform(0.97, 1.03, (height, width)) * (rng.random((height, width)) > 0.1)
    depth_m = (1.5 / rows[:, None] * uneven).astype(np.float32)
    canvas = rng.integers(0, 256, (height, width, 3), np.uint8)
    return canvas, depth_m, columns, rows


@COMPILED
@pytest.mark.parametrize("seed", range(20))
def test_the_fallback_gives_the_same_bytes(seed: int) -> None:
    canvas, depth_m, columns, rows = _scene(seed)
    fallback = canvas.copy()
    strength = (seed + 1) / 20
    expected = shadow._darken(fallback, depth_m, columns, rows, ELLIPSE, strength)
    assert shadow.darken(canvas, depth_m, columns, rows, ELLIPSE, strength) == expected
    np.testing.assert_array_equal(canvas, fallback)


@pytest.mark.parametrize("order", ["mirrored", "by columns"])
def test_depth_of_a_source_may_lie_in_any_order(order: str) -> None:
    canvas, depth_m, columns, rows = _scene(6)
    view = depth_m[:, ::-1].copy()[:, ::-1] if order == "mirrored" else np.asfortranarray(depth_m)
    expected = canvas.copy()
    changed = shadow.darken(expected, depth_m, columns, rows, ELLIPSE, 1.0)
    assert shadow.darken(canvas, view, columns, rows, ELLIPSE, 1.0) == changed
    np.testing.assert_array_equal(canvas, expected)


def test_the_shade_is_a_gaussian() -> None:
    columns = np.linspace(-0.3, 0.3, 61)
    canvas, depth_m = np.full((1, 61, 3), 255, np.uint8), np.full((1, 61), 3.15, np.float32)
    shadow.darken(canvas, depth_m, columns, np.array([1.5 / 3.15]), ELLIPSE, 1.0)
    across = columns * 3.15 / 0.4
    expected = 255 * (1 - np.exp(-2 * across**2))
    assert np.abs(canvas[0, :, 0] - expected).max() <= 1


def test_invalid_depth_and_far_pixels_keep_their_colours() -> None:
    canvas, depth_m, columns, rows = _scene(4)
    before = canvas.copy()
    assert shadow.darken(canvas, np.zeros_like(depth_m), columns, rows, ELLIPSE, 1.0) == (0, 0)
    assert shadow.darken(canvas, 3 * depth_m, columns, rows, ELLIPSE, 1.0) == (0, 0)
    assert shadow.darken(canvas, depth_m * np.nan, columns, rows, ELLIPSE, 1.0) == (0, 0)
    np.testing.assert_array_equal(canvas, before)


@COMPILED
def test_arrays_that_do_not_fit_are_refused() -> None:
    canvas, depth_m, columns, rows = _scene(5)
    for one, other, across, down in (
        (canvas, depth_m[:-1], columns, rows),
        (canvas, depth_m, columns[:-1], rows),
        (canvas, depth_m, columns, rows[:-1]),
        (canvas, depth_m.astype(np.float64), columns, rows),
        (canvas[..., 0], depth_m, columns, rows),
    ):
        with pytest.raises(ValueError, match=r"fit|expected"):
            shadow.darken(one, other, across, down, ELLIPSE, 0.5)
