"""TensorFlow: a dataset as a `tf.data` pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from depthmask.adapters.stack import stacked
from depthmask.reading.samples import Samples


def batches(
    samples: Samples,
    batch_size: int = 32,
    *,
    shuffle: int = 0,
    seed: int | None = None,
    floats: bool = True,
    threads: int = 2,
) -> tf.data.Dataset:
    """Batches as a dict of tensors.

    `image` [n, h, w, 3] and `mask` [n, h, w, 1], float32 in 0..1, or with `floats=False` uint8;
    where there is depth, `depth` float32 [n, dh, dw, 1] by the contract, and `valid` bool, where it
    is known. shuffle: size of the buffer of sample numbers, 8 bytes each; another order in each
    epoch. threads: how many batches are read at a time.
    """
    like = stacked(samples[:1], samples.contract, floats=floats)
    names = list(like)

    def read(numbers: NDArray[np.int64]) -> list[NDArray[Any]]:
        arrays = stacked(samples.__getitems__(numbers.tolist()), samples.contract, floats=floats)
        return [arrays[name] for name in names]

    def tensors(numbers: tf.Tensor) -> dict[str, tf.Tensor]:
        found = tf.numpy_function(read, [numbers], [like[name].dtype for name in names])
        # A function of NumPy tells TensorFlow nothing of its shapes, and Keras has to know them.
        return {
            name: tf.ensure_shape(tensor, [None, *like[name].shape[1:]])
            for name, tensor in zip(names, found, strict=True)
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
    """For `batches(...).map(for_fit)`: (image, outputs by name, weights), as Keras's `fit` takes.

    The outputs are `mask` and `depth`; the weights leave out what is not known of the depth.
    """
    image, mask = batch["image"], batch["mask"]
    if "depth" not in batch:
        return image, {"mask": mask}
    # Keras wants weights for every output, or for none.
    weights = {"mask": tf.ones_like(mask[..., 0], bool), "depth": batch["valid"][..., 0]}
    return image, {"mask": mask, "depth": batch["depth"]}, weights
