"""A dataset as batches for Keras's `fit`, on any backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.adapters._library import installed
from depthmask.adapters.stack import stacked
from depthmask.reading.samples import Samples

with installed("tensorflow"):
    import keras


class Batches(keras.utils.PyDataset):
    """Batches of a dataset for a network from `image` to outputs named `mask` and `depth`.

    Each batch is (image, {"mask": mask, "depth": depth}, weights), where the weights are 0 at
    pixels without depth; for a dataset without depth, (image, {"mask": mask}). image [n, h, w, 3]
    and mask [n, h, w, 1] float32 in 0..1, depth float32 [n, dh, dw, 1] by the contract. shuffle:
    a new order in each epoch; the same seed gives the same orders. labels: names of labels that are
    outputs as well, with their own values; maps [h, w] become [n, h, w, 1]. keras_options:
    arguments of `PyDataset`, such as `workers`, the number of threads that read.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int = 32,
        *,
        shuffle: bool = False,
        seed: int = 0,
        labels: Sequence[str] = (),
        **keras_options: Any,
    ) -> None:
        super().__init__(**keras_options)
        self._samples = samples
        self._batch_size = batch_size
        self._labels = labels
        self._rng = np.random.default_rng(seed) if shuffle else None
        self._order: NDArray[np.int64] | range = range(len(samples))
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self._samples) // self._batch_size)

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        first = number * self._batch_size
        indices = [int(index) for index in self._order[first : first + self._batch_size]]
        batch = self._samples.__getitems__(indices)
        arrays = stacked(batch, self._samples.contract, labels=self._labels)
        image, valid = arrays.pop("image"), arrays.pop("valid", None)
        if valid is None:
            return image, arrays
        # Keras accepts weights either for every output or for none.
        weights = {name: np.ones(array.shape[:-1], bool) for name, array in arrays.items()}
        return image, arrays, {**weights, "depth": valid[..., 0]}

    def on_epoch_end(self) -> None:
        """Draw a new order of the samples, if they are shuffled."""
        if self._rng is not None:
            self._order = self._rng.permutation(len(self._samples))
