"""Batches for `tf.data`: shapes that are known beforehand, values, order."""

from __future__ import annotations

import numpy as np

import depthmask
from depthmask.adapters import tf as adapter
from depthmask.adapters.stack import stacked
from depthmask.reading.dataset import Dataset


def test_batches(dataset: Dataset) -> None:
    data = adapter.batches(dataset, 4)
    assert {name: tuple(spec.shape) for name, spec in data.element_spec.items()} == {
        "image": (None, 16, 24, 3),
        "mask": (None, 16, 24, 1),
        "depth": (None, 16, 24, 1),
        "valid": (None, 16, 24, 1),
    }
    for first, batch in zip((0, 4, 8), data, strict=True):
        arrays = stacked(dataset[first : first + 4], dataset.contract)
        assert list(batch) == list(arrays)
        assert all(np.array_equal(batch[name].numpy(), array) for name, array in arrays.items())


def test_bytes_without_depth(pairs: Dataset) -> None:
    (batch,) = adapter.batches(pairs, 10, floats=False)
    arrays = stacked(pairs, None, floats=False)
    assert all(np.array_equal(batch[name].numpy(), array) for name, array in arrays.items())
    image, wanted = adapter.for_fit(batch)
    assert (image.shape, list(wanted)) == ((10, 16, 24, 3), ["mask"])


def test_for_fit(dataset: Dataset) -> None:
    (batch,) = adapter.batches(dataset, 10)
    image, wanted, weights = adapter.for_fit(batch)
    assert image is batch["image"]
    assert wanted == {"mask": batch["mask"], "depth": batch["depth"]}
    assert weights["mask"].numpy().all()
    assert np.array_equal(weights["depth"].numpy(), batch["valid"].numpy()[..., 0])


def test_shuffled_in_a_new_order_each_epoch(dataset: Dataset) -> None:
    data = adapter.batches(dataset, 10, shuffle=10, seed=1, floats=False)
    (first,), (second,) = data, data
    assert not np.array_equal(first["image"], second["image"])
    plain = sorted(sample.image.tobytes() for sample in dataset)
    assert sorted(one.tobytes() for one in second["image"].numpy()) == plain


def test_virtual() -> None:
    made = depthmask.virtual(["source.rooms=2", "source.furniture=2", "size=[16,24]"])
    for batch in adapter.batches(made[:6], 3):
        assert batch["depth"].shape == (3, 16, 24, 1)


def test_labels_are_outputs(dataset: Dataset) -> None:
    (batch,) = adapter.batches(dataset, 10, labels=["instances"])
    expected = np.stack([sample.labels["instances"] for sample in dataset])
    assert np.array_equal(batch["instances"].numpy()[..., 0], expected)
    _, outputs, weights = adapter.for_fit(batch)
    assert sorted(outputs) == sorted(weights) == ["depth", "instances", "mask"]
