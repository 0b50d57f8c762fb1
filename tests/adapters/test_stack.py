"""Batches: shapes, types and values, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depthmask.adapters.stack import stacked
from depthmask.data import DepthContract, DepthKind, DepthMode, Sample
from depthmask.errors import UsageError

CONTRACT = DepthContract(
    DepthKind.metric_z, "m", 0.1, 10.0, 0.0, True, (1, 2), "test", None, DepthMode.exact
)


def sample(red: int, mask: int, *depth_m: float) -> Sample:
    """One row of two pixels, the second all black."""
    image = np.array([[[red, 0, 51], [0, 0, 0]]], np.uint8)
    depth = np.array([depth_m], np.float32) if depth_m else None
    return Sample("000000000", image, np.array([[mask, 0]], np.uint8), None, depth, {})


def test_floats() -> None:
    arrays = stacked([sample(255, 102, 1.5, 0), sample(0, 255, 0, 2)], CONTRACT)
    assert {name: (array.shape, array.dtype.name) for name, array in arrays.items()} == {
        "image": ((2, 1, 2, 3), "float32"),
        "mask": ((2, 1, 2, 1), "float32"),
        "depth": ((2, 1, 2, 1), "float32"),
        "valid": ((2, 1, 2, 1), "bool"),
    }
    assert arrays["image"][0, 0].tolist() == [[1, 0, np.float32(0.2)], [0, 0, 0]]
    assert arrays["mask"][:, 0, :, 0].tolist() == [[np.float32(0.4), 0], [1, 0]]
    assert arrays["depth"][:, 0, :, 0].tolist() == [[1.5, 0], [0, 2]]
    assert arrays["valid"][:, 0, :, 0].tolist() == [[True, False], [False, True]]


def test_bytes() -> None:
    arrays = stacked([sample(255, 102, 1.5, 0)], CONTRACT, floats=False)
    assert arrays["image"].dtype == arrays["mask"].dtype == np.uint8
    assert (arrays["image"][0, 0, 0].tolist(), arrays["mask"].ravel().tolist()) == (
        [255, 0, 51],
        [102, 0],
    )
    assert arrays["depth"].dtype == np.float32


def test_channels_first() -> None:
    arrays = stacked([sample(255, 102, 1.5, 0)], CONTRACT, channels_first=True)
    assert {name: array.shape for name, array in arrays.items()} == {
        "image": (1, 3, 1, 2),
        "mask": (1, 1, 1, 2),
        "depth": (1, 1, 1, 2),
        "valid": (1, 1, 1, 2),
    }
    assert arrays["image"][0, :, 0, 0].tolist() == [1, 0, np.float32(0.2)]
    assert all(array.flags.c_contiguous for array in arrays.values())


@pytest.mark.parametrize(
    ("samples", "contract"),
    [([sample(1, 2)], None), ([sample(1, 2)], CONTRACT), ([sample(1, 2, 3, 4)], None)],
    ids=["none", "not written", "nobody knows what it means"],
)
def test_without_depth(samples: list[Sample], contract: DepthContract | None) -> None:
    assert list(stacked(samples, contract)) == ["image", "mask"]


def with_labels(**labels: object) -> Sample:
    return replace(sample(1, 2), labels=labels)


def test_labels_keep_their_values_and_get_channels() -> None:
    labels = {
        "classes": np.array([[3, 7]], np.uint16),
        "colours": np.zeros((1, 2, 3), np.uint8),
        "vector": np.array([1.5, 2.5, 3.5]),
    }
    arrays = stacked([with_labels(**labels)] * 2, None, channels_first=True, labels=list(labels))
    assert {name: (arrays[name].shape, arrays[name].dtype.name) for name in labels} == {
        "classes": ((2, 1, 1, 2), "uint16"),
        "colours": ((2, 3, 1, 2), "uint8"),
        "vector": ((2, 3), "float64"),
    }
    assert arrays["classes"][0, 0, 0].tolist() == [3, 7]


def test_labels_that_make_no_batch() -> None:
    one, other = with_labels(a=np.zeros(2), b={"x": 1}), with_labels(a=np.zeros(3), b={"x": 2})
    with pytest.raises(UsageError, match="a has another shape in each sample"):
        stacked([one, other], None, labels=["a"])
    with pytest.raises(UsageError, match="b is no array in every sample; the labels are a, b"):
        stacked([one, other], None, labels=["b"])
    with pytest.raises(UsageError, match="nosuch is no array"):
        stacked([one, other], None, labels=["nosuch"])
