"""Turns samples into PyTorch tensors. A `Dataset` of depthmask is a map-style dataset already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from depthmask.adapters._library import installed
from depthmask.adapters.stack import stacked
from depthmask.data import DepthContract, Sample

with installed("torch"):
    import torch


@dataclass(frozen=True)
class Collate:
    """Collates samples into tensors: `DataLoader(ds, 32, collate_fn=Collate(ds.contract))`.

    `image` [n, 3, h, w] and `mask` [n, 1, h, w], float32 in 0..1, or uint8 with `floats=False` (a
    quarter of the bytes to move); for samples with depth, `depth` float32 [n, 1, dh, dw] by the
    contract, and `valid` bool [n, 1, dh, dw], where depth is known. labels: names of labels to add,
    with their own values; maps [h, w] become [n, 1, h, w].
    """

    contract: DepthContract | None = None
    floats: bool = True
    labels: tuple[str, ...] = ()

    def __call__(self, samples: Sequence[Sample]) -> dict[str, torch.Tensor]:
        """The tensors of a batch."""
        arrays = stacked(
            samples, self.contract, floats=self.floats, channels_first=True, labels=self.labels
        )
        return {name: torch.from_numpy(array) for name, array in arrays.items()}
