from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthmask.kernels import blurring
from depthmask.kernels.compiled import native

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")
SIGMAS = [0.01, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.7, 3.0, 6.3, 10.0]


def _values(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, rng.integers(1, 90, 2), np.uint8)


@COMPILED
@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_fallback_gives_the_same_bytes(sigma: float) -> None:
    for seed in range(10):
        values = _values(seed)
        expected = blurring._blurred(values, blurring._taps(sigma))
        np.testing.assert_array_equal(blurring.blurred(values, sigma), expected)


@pytest.mark.parametrize("sigma", [*SIGMAS, *np.linspace(0.02, 9.9, 100)])
def test_the_bytes_are_those_of_opencv(sigma: float) -> None:
    for values in (_values(int(1000 * sigma)), np.full((9, 70), 255, np.uint8)):
        border = cv2.BORDER_REPLICATE
        expected = np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=border))
        np.testing.assert_array_equal(
            blurring.blurred(values, sigma), expected.reshape(values.shape)
        )


def test_the_rows_may_lie_apart() -> None:
    values = _values(3)
    np.testing.assert_array_equal(
        blurring.blurred(np.repeat(values, 2, axis=1)[::2, ::2], 1.0),
        blurring.blurred(values[::2].copy(), 1.0),
    )


def test_nothing_stays_nothing() -> None:
    assert blurring.blurred(np.empty((0, 5), np.uint8), 1.0).shape == (0, 5)


@COMPILED
@pytest.mark.parametrize("taps", [[128, 128], [27, 200, 27], [26, 202, 28], []])
def test_other_weights_are_refused(taps: list[int]) -> None:
    assert native is not None
    values = np.zeros((4, 5), np.uint8)
    with pytest.raises(ValueError, match="do not fit"):
        native.blur(values.copy(), values, np.array(taps, np.uint16))
