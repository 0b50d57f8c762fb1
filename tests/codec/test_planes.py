"""Depth as planes of folded differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthmask.codec.npz import encode_npz
from depthmask.codec.planes import from_planes, to_planes


@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    top=st.sampled_from([1, 300, 65535]),
    seed=st.integers(0, 99),
)
def test_every_map_comes_back(height: int, width: int, top: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    millimetres = rng.integers(0, top, (height, width), np.uint16, endpoint=True)
    planes = to_planes(millimetres)
    assert planes.dtype == np.uint8
    assert planes.shape == (2, height, width)
    assert np.array_equal(from_planes(planes), millimetres)


def test_planes_by_hand() -> None:
    # Down: 1000, 1001; then 1, -1; across: 1000, 1 and 1, -2; folded: 2000, 2 and 2, 3.
    planes = to_planes(np.array([[1000, 1001], [1001, 1000]], np.uint16))
    assert planes.tolist() == [[[2000 % 256, 2], [2, 3]], [[2000 // 256, 0], [0, 0]]]


@pytest.mark.parametrize("size", [(80, 80), (160, 160)])
def test_a_smooth_map_takes_a_third_of_float32_at_most(size: tuple[int, int]) -> None:
    y, x = np.mgrid[: size[0], : size[1]] / size[0]
    depth = (2 + 3 * y + np.sin(4 * x) + 0.002 * np.sin(900 * x * y)).astype(np.float32)
    plain = encode_npz({"depth": depth})
    compact = encode_npz({"depth_planes": to_planes(np.rint(depth * 1000).astype(np.uint16))})
    assert 3 * len(compact) <= len(plain)
