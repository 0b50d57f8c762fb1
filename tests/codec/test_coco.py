"""Masks as runs, against the reference implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as reference

from depthmask.codec.coco import instance_label, run_lengths

# pycocotools 2.0.11 hands NumPy 2 arrays without a `copy` argument.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 999))
def test_pycocotools_reads_our_runs(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((height, width)) < rng.random()
    label = {"size": [height, width], "counts": run_lengths(mask)}
    encoded = reference.frPyObjects(label, height, width)
    assert np.array_equal(reference.decode(encoded), mask)
    found = instance_label(mask)
    assert found["area"] == reference.area(encoded)
    if mask.any():
        top, left, high, wide = found["visible_box"]
        assert reference.toBbox(encoded).tolist() == [left, top, wide, high]


def test_by_hand() -> None:
    mask = np.array([[1, 0, 0], [1, 1, 0]], bool)
    assert run_lengths(mask) == [0, 2, 1, 1, 2]
    assert instance_label(mask) == {
        "area": 3,
        "visible_box": [0, 0, 2, 2],
        "counts": [0, 2, 1, 1, 2],
    }
    assert instance_label(np.zeros((2, 3), bool)) == {"area": 0}
