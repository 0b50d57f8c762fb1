from __future__ import annotations

import numpy as np
import pytest

from depthmask.kernels.compiled import native
from depthmask.kernels.mending import _mend, mended
from depthmask.stages.blend.feather import SOLID, _taps

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")


def _cut_out(seed: int) -> np.ndarray:
    """Noise, a hard edge, one solid pixel, or solid lines that lie apart."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 120, 2) if seed % 3 else rng.integers(1, 12, 2)
    rgba = rng.integers(0, 256, (height, width, 4), np.uint8)
    alpha = rgba[..., 3]
    if seed % 4 == 1:
        alpha[:] = np.where(alpha > 128, 255, 0)
    elif seed % 4 == 2:
        alpha[:] = 0
        alpha[rng.integers(height), rng.integers(width)] = 255
    elif seed % 4 == 3:
        alpha[:] = 10
        alpha[:, :: max(1, width // 3)] = SOLID
    return rgba


@COMPILED
@pytest.mark.parametrize("reach", [0.01, 0.3, 2.0, 5.0, 20.0])
@pytest.mark.parametrize("seed", range(12))
def test_the_fallback_gives_the_same_bytes(seed: int, reach: float) -> None:
    rgba, taps = _cut_out(seed), _taps(reach)
    least = 1e-4 * float(taps.sum()) ** 2
    expected = rgba[..., :3].copy()
    _mend(expected, rgba[..., 3], SOLID, taps, least)
    np.testing.assert_array_equal(mended(rgba, SOLID, taps, least), expected)


def test_rows_may_lie_apart() -> None:
    rgba, taps = _cut_out(8), _taps(2.0)
    apart = np.zeros((len(rgba), 3 * rgba.shape[1], 4), np.uint8)
    apart[:, 5 : 5 + rgba.shape[1]] = rgba
    view = apart[:, 5 : 5 + rgba.shape[1]]
    np.testing.assert_array_equal(mended(view, SOLID, taps, 1.0), mended(rgba, SOLID, taps, 1.0))


@COMPILED
def test_arrays_that_do_not_fit_are_refused() -> None:
    assert native is not None
    rgba = _cut_out(4)
    for target, taps in ((rgba[:-1, :, :3], _taps(2.0)), (rgba[..., :3], np.ones(4))):
        with pytest.raises(ValueError, match="fit"):
            native.mend(np.ascontiguousarray(target), rgba, SOLID, taps, 1.0)


@pytest.mark.parametrize(
    "taps", [[1, 2], [0.5, 1, 0.5], [1e300], [0], [np.nan]], ids=lambda one: str(one)
)
def test_weights_whose_sums_are_not_exact_are_refused(taps: list[float]) -> None:
    with pytest.raises(ValueError, match="no weights for sums that are exact"):
        mended(np.zeros((4, 5, 4), np.uint8), 250, np.asarray(taps, np.float64), 1.0)
