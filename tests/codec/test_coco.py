"""Masks as runs, against the reference implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as reference

from depthmask.codec.coco import instance_label

# pycocotools 2.0.11 hands NumPy 2 arrays without a `copy` argument.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    around=st.tuples(*[st.integers(0, 3)] * 4),
    seed=st.integers(0, 999),
)
def test_pycocotools_reads_our_runs(
    height: int, width: int, around: tuple[int, int, int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((height, width)) < rng.random()
    mask[rng.integers(height), rng.integers(width)] = True
    top, bottom, left, right = around
    whole = np.pad(mask, ((top, bottom), (left, right)))
    found = instance_label(mask, top, left, whole.shape)
    encoded = reference.frPyObjects(
        {"size": [*whole.shape], "counts": found["counts"]}, *whole.shape
    )
    assert np.array_equal(reference.decode(encoded), whole)
    assert found["area"] == reference.area(encoded)
    box_top, box_left, high, wide = found["visible_box"]
    assert reference.toBbox(encoded).tolist() == [box_left, box_top, wide, high]


def test_by_hand() -> None:
    mask = np.array([[1, 0, 0], [1, 1, 0]], bool)
    assert instance_label(mask, 0, 0, (2, 3)) == {
        "area": 3,
        "visible_box": [0, 0, 2, 2],
        "counts": [0, 2, 1, 1, 2],
    }
    assert instance_label(mask, 1, 2, (4, 5)) == {
        "area": 3,
        "visible_box": [1, 2, 2, 2],
        "counts": [9, 2, 3, 1, 5],
    }
    assert instance_label(np.zeros((2, 3), bool), 0, 0, (2, 3)) == {"area": 0}
