"""Batches for Keras: what `fit` is given, and in which order."""

from __future__ import annotations

import numpy as np

from depthmask.adapters import keras
from depthmask.adapters.stack import stacked
from depthmask.reading.dataset import Dataset


def test_batches(dataset: Dataset) -> None:
    batches = keras.Batches(dataset, 4)
    assert len(batches) == 3
    image, wanted, weights = batches[2]
    arrays = stacked(dataset[8:], dataset.contract)
    assert np.array_equal(image, arrays["image"])
    assert sorted(wanted) == sorted(weights) == ["depth", "mask"]
    assert np.array_equal(wanted["mask"], arrays["mask"])
    assert np.array_equal(wanted["depth"], arrays["depth"])
    assert np.array_equal(weights["depth"], arrays["valid"][..., 0])
    assert weights["mask"].shape == (2, 16, 24)
    assert weights["mask"].all()


def test_without_depth(pairs: Dataset) -> None:
    image, wanted = keras.Batches(pairs, 4)[0]
    assert (image.shape, list(wanted), wanted["mask"].shape) == (
        (4, 16, 24, 3),
        ["mask"],
        (4, 16, 24, 1),
    )


def test_shuffled_in_a_new_order_each_epoch_and_again_with_the_seed(dataset: Dataset) -> None:
    def epochs(seed: int) -> list[np.ndarray]:
        batches = keras.Batches(dataset, 5, shuffle=True, seed=seed)
        found = []
        for _ in range(2):
            found.append(np.concatenate([batches[number][0] for number in range(2)]))
            batches.on_epoch_end()
        return found

    (first, second), again, other = epochs(1), epochs(1), epochs(2)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again[0])
    assert np.array_equal(second, again[1])
    assert not np.array_equal(first, other[0])
    plain = sorted(one.tobytes() for one in stacked(dataset, None)["image"])
    assert sorted(one.tobytes() for one in second) == plain


def test_labels_are_outputs(dataset: Dataset) -> None:
    _, outputs, weights = keras.Batches(dataset, 4, labels=["instances"])[0]
    expected = np.stack([sample.labels["instances"] for sample in dataset[:4]])
    assert np.array_equal(outputs["instances"][..., 0], expected)
    assert weights["instances"].shape == (4, 16, 24)
    assert weights["instances"].all()
