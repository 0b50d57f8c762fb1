from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from depthmask.kernels import sums
from depthmask.kernels.compiled import native

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")


def _pixels(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 90, 2)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def _depth_m(seed: int) -> np.ndarray:
    """Any float32 up to 65.535, ties of half a millimetre, and a tenth of invalid pixels."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 90, 2)
    depth_m = rng.choice(np.arange(1, 131_071) / 2000, (height, width)).astype(np.float32)
    depth_m = np.where(rng.random(depth_m.shape) < 0.5, depth_m, rng.random(depth_m.shape) * 65)
    return np.where(rng.random(depth_m.shape) < 0.1, 0, depth_m).astype(np.float32)


@COMPILED
@pytest.mark.parametrize("seed", range(20))
def test_the_fallbacks_give_the_same_sums(seed: int) -> None:
    pixels, depth_m = _pixels(seed), _depth_m(seed)
    assert sums.byte_sum(pixels[..., 1]) == sums._byte_sum(pixels[..., 1])
    assert sums.byte_sums(pixels) == sums._byte_sums(pixels)
    assert sums.byte_sums(pixels[..., 1]) == sums._byte_sums(pixels[..., 1])
    assert sums.depth_sums(depth_m) == sums._depth_sums(depth_m)
    assert sums.depth_range(depth_m) == sums._depth_range(depth_m)
    assert sums.depth_range(depth_m.T) == sums._depth_range(depth_m)


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize(
    ("values", "extent"),
    [
        ((0, 3, 2, 0), (2, 3)),
        ((0, 0, 0, 0), (0, 0)),
        ((-1, 0, 2, -0.0), (-1, 2)),
        ((1, -0.0, 2, 2), (1, 2)),
        ((1, np.inf, 2, 2), (1, np.inf)),
        ((1, -np.inf, 0, 2), (-np.inf, 2)),
        ((1, np.nan, 0, 2), (np.nan, np.nan)),
        ((1, -np.nan, 0, 2), (np.nan, np.nan)),
    ],
)
def test_the_range_is_that_of_valid_depth(
    values: tuple[float, ...], extent: tuple[float, float], fallback: bool
) -> None:
    depth_m = np.array(values, np.float32).reshape(2, 2)
    depth_range = sums._depth_range if fallback else sums.depth_range
    np.testing.assert_equal(depth_range(depth_m), extent)


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_sums_are_those_of_integers(seed: int, fallback: bool) -> None:
    values = _pixels(seed).astype(int).reshape(-1, 3)
    byte_sums = sums._byte_sums if fallback else sums.byte_sums
    expected = *values.sum(axis=0).tolist(), *(values * values).sum(axis=0).tolist()
    assert byte_sums(_pixels(seed)) == expected
    byte_sum = sums._byte_sum if fallback else sums.byte_sum
    assert byte_sum(_pixels(seed)[..., 2]) == expected[2]
    depth_m = _depth_m(seed)
    millimetres = np.rint(depth_m.astype(np.float64) * 1000).astype(int)
    depth_sums = sums._depth_sums if fallback else sums.depth_sums
    assert depth_sums(depth_m) == (
        int(np.count_nonzero(depth_m)),
        int(millimetres.sum()),
        int((millimetres**2).sum()),
    )


def test_rows_apart_and_rows_together() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (70, 200, 3), np.uint8)
    window = pixels[3:60, 7:150]
    assert sums.byte_sums(window) == sums.byte_sums(window.copy())
    assert sums.byte_sums(window[..., 2]) == sums.byte_sums(window[..., 2].copy())
    assert sums.byte_sum(window[..., 2]) == sums.byte_sums(window[..., 2])[0]
    assert sums.byte_sum(window[:0, :, 2]) == sums._byte_sum(window[:0, :, 2]) == 0


@pytest.mark.parametrize(
    "value", [65.536, 1000.0, -1.0, np.inf], ids=["above", "far", "below", "infinite"]
)
def test_depth_that_16_bits_do_not_hold_takes_the_fallback(value: float) -> None:
    depth_m = np.full((3, 21), 1.5, np.float32)
    depth_m[2, 20] = value
    if np.isinf(value):
        with pytest.raises(OverflowError):
            sums.depth_sums(depth_m)
    else:
        assert sums.depth_sums(depth_m) == sums._depth_sums(depth_m)
        if native is not None:
            assert native.depth_sums(depth_m, 65.535) is None


@COMPILED
def test_arrays_that_do_not_fit_are_refused() -> None:
    assert native is not None
    bad: Any
    for bad in (np.zeros((2, 3), np.float64), np.zeros((2, 3, 3), np.float32)):
        with pytest.raises(ValueError, match="expected"):
            native.depth_sums(bad, 65.535)
        with pytest.raises(ValueError, match="expected"):
            native.byte_sums(bad, 3)
    with pytest.raises(ValueError, match="channel"):
        native.byte_sums(np.zeros((2, 3), np.uint8), 2)


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_rows_of_another_picture_are_summed_from_its_sums(seed: int, fallback: bool) -> None:
    background, rng = _pixels(seed), np.random.default_rng(seed)
    first, stop = sorted(rng.integers(0, len(background) + 1, 2).tolist())
    picture = background.copy()
    picture[first:stop] = rng.integers(0, 256, picture[first:stop].shape, np.uint8)
    if fallback:
        sums_of = sums._byte_sums_beside(picture, sums._sums_above(background), first, stop)
    else:
        sums_of = sums.byte_sums_beside(picture, sums.sums_above(background), (first, stop))
    assert sums_of == sums.byte_sums(picture)


@COMPILED
def test_the_sums_above_each_row_are_those_of_the_fallback() -> None:
    pixels = _pixels(3)
    assert np.array_equal(sums.sums_above(pixels), sums._sums_above(pixels))
    assert sums.sums_above(pixels[:, 3:])[-1].tolist() == [*sums.byte_sums(pixels[:, 3:])]


@pytest.mark.parametrize("rows", [(-4, 4), (8, 4), (0, 40)])
def test_rows_have_to_be_of_the_picture(
    monkeypatch: pytest.MonkeyPatch, rows: tuple[int, int]
) -> None:
    pixels = np.zeros((32, 32, 3), np.uint8)
    above = sums.sums_above(pixels)
    for compiled in (native, None):
        monkeypatch.setattr(sums, "native", compiled)
        with pytest.raises(ValueError, match="of 32, sums of 32"):
            sums.byte_sums_beside(pixels, above, rows)
