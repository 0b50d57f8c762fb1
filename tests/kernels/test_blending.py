from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from depthmask.kernels import blending
from depthmask.kernels.compiled import native


def _three(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 70, 2)
    canvas = rng.integers(0, 256, (height, width, 3), np.uint8)
    return (
        canvas,
        rng.integers(0, 256, canvas.shape, np.uint8),
        rng.integers(0, 256, canvas.shape[:2], np.uint8),
    )


@pytest.mark.skipif(native is None, reason="the kernels are not compiled")
@pytest.mark.parametrize("seed", range(20))
def test_the_fallback_gives_the_same_bytes(seed: int) -> None:
    canvas, rgb, alpha = _three(seed)
    expected = canvas.copy()
    blending._blend_alpha(expected, rgb, alpha)
    blending.blend_alpha(canvas, rgb, alpha)
    np.testing.assert_array_equal(canvas, expected)


@pytest.mark.skipif(native is None, reason="the kernels are not compiled")
@pytest.mark.parametrize("seed", range(5))
def test_the_fallback_gives_the_same_bytes_where_alpha_is_the_same(seed: int) -> None:
    canvas, rgb, _ = _three(seed)
    levels = np.random.default_rng(seed).choice([0, 77, 255], (canvas.shape[0], 9))
    alpha = levels.repeat(8, axis=1)[:, : canvas.shape[1]].astype(np.uint8)
    expected = canvas.copy()
    blending._blend_alpha(expected, rgb, alpha)
    blending.blend_alpha(canvas, rgb, alpha)
    np.testing.assert_array_equal(canvas, expected)


def test_all_bytes_are_rounded_to_the_nearest_level() -> None:
    values = np.arange(256)
    for alpha in values:
        canvas = np.repeat(values[:, None], 256, 1).astype(np.uint8)[..., None].repeat(3, 2)
        rgb = np.ascontiguousarray(canvas.transpose(1, 0, 2))
        exact = (rgb.astype(int) * alpha + canvas.astype(int) * (255 - alpha) + 127) // 255
        blending.blend_alpha(canvas, rgb, np.full((256, 256), alpha, np.uint8))
        np.testing.assert_array_equal(canvas, exact)


def test_views_with_rows_apart() -> None:
    canvas, rgb, alpha = _three(1)
    whole = np.zeros((100, 100, 3), np.uint8)
    window = whole[5 : 5 + len(canvas), 7 : 7 + canvas.shape[1]]
    window[:] = canvas
    blending.blend_alpha(window, rgb, alpha)
    blending.blend_alpha(canvas, rgb, alpha)
    np.testing.assert_array_equal(window, canvas)
    assert not whole[:5].any()


@pytest.mark.skipif(native is None, reason="the kernels are not compiled")
def test_arrays_that_do_not_fit_are_refused() -> None:
    canvas, rgb, alpha = _three(2)
    bad: Any
    for bad in (
        alpha[:-1],
        rgb,
        alpha.astype(np.uint16),
        alpha[:, ::-1][:, :1].repeat(2, 1)[:, ::-1],
    ):
        with pytest.raises(ValueError, match=r"size|expected"):
            blending.blend_alpha(canvas, rgb, bad)


def test_a_window_without_pixels_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = np.zeros((0, 5, 3), np.uint8)
    for compiled in (native, None):
        monkeypatch.setattr(blending, "native", compiled)
        blending.blend_alpha(canvas, canvas, np.zeros((0, 5), np.uint8))
