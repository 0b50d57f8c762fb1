"""A dataset as a `tf.data` pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.adapters._library import installed
from depthmask.adapters.stack import stacked
from depthmask.errors import UsageError
from depthmask.reading.samples import Samples

with installed("tensorflow"):
    import tensorflow as tf


def batches(
    samples: Samples,
    batch_size: int = 32,
    *,
    shuffle: int = 0,
    seed: int | None = None,
    floats: bool = True,
    threads: int = 2,
    labels: Sequence[str] = (),
) -> tf.data.Dataset:
    """A pipeline of batches, each a dict of tensors.

    `image` [n, h, w, 3] and `mask` [n, h, w, 1], float32 in 0..1, or uint8 with `floats=False`; for
    a dataset with depth, `depth` float32 [n, dh, dw, 1] by the contract, and `valid` bool
    [n, dh, dw, 1], where depth is known. shuffle: size of the shuffle buffer, in sample
    numbers of 8 bytes; the order differs in each epoch. threads: how many batches are read at the
    same time. labels: names of labels to add, with their own values; maps [h, w] become
    [n, h, w, 1].
    """
    example = stacked(samples[:1], samples.contract, floats=floats, labels=labels)
    names = list(example)

    def read(numbers: NDArray[np.int64]) -> list[NDArray[Any]]:
        batch = samples.__getitems__(numbers.tolist())
        arrays = stacked(batch, samples.contract, floats=floats, labels=labels)
        if arrays["image"].shape[1:] != example["image"].shape[1:]:
            raise UsageError(
                f"images of {arrays['image'].shape[1:]} after those of {example['image'].shape[1:]}"
                ": tf.data needs one size; make the dataset with size=[H,W]"
            )
        return [arrays[name] for name in names]

    def tensors(numbers: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = tf.numpy_function(read, [numbers], [example[name].dtype for name in names])
        # TensorFlow does not know the shapes that a NumPy function returns, and Keras needs them.
        return {
            name: tf.ensure_shape(tensor, [None, *example[name].shape[1:]])
            for name, tensor in zip(names, outputs, strict=True)
        }

    numbers = tf.data.Dataset.range(len(samples))
    if shuffle:
        numbers = numbers.shuffle(shuffle, seed)
    return (
        numbers.batch(batch_size)
        .map(tensors, num_parallel_calls=threads)
        .prefetch(tf.data.AUTOTUNE)
    )


def for_fit(batch: dict[str, tf.Tensor]) -> tuple[Any, ...]:
    """Turn a batch into (image, outputs, weights) for Keras's `fit`: `batches(...).map(for_fit)`.

    The outputs are `mask`, `depth` and labels; the weights are 0 at pixels without depth.
    """
    outputs = {name: batch[name] for name in batch if name not in ("image", "valid")}
    if "depth" not in batch:
        return batch["image"], outputs
    # Keras accepts weights either for every output or for none.
    weights = {name: tf.ones_like(tensor[..., 0], bool) for name, tensor in outputs.items()}
    return batch["image"], outputs, {**weights, "depth": batch["valid"][..., 0]}
