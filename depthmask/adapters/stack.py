"""Samples -> arrays of a batch, in the shapes that networks take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data import DepthContract, Sample


def stacked(
    samples: Sequence[Sample],
    contract: DepthContract | None,
    *,
    floats: bool = True,
    channels_first: bool = False,
) -> dict[str, NDArray[Any]]:
    """`image` [n, h, w, 3], `mask` [n, h, w, 1], and of samples with depth `depth` and `valid`.

    image, mask: float32 in 0..1, or uint8 as they are. depth: float32 [n, dh, dw, 1] by the
    contract. valid: bool, where depth is known. channels_first: [n, 3, h, w] and so on.
    """
    # Bytes are laid out anew before they are floats: 48 us for 160x160 instead of 134.
    laid = _channels_first if channels_first else _as_they_are
    arrays: dict[str, NDArray[Any]] = {
        "image": laid(np.stack([sample.image for sample in samples])),
        "mask": laid(np.stack([sample.mask for sample in samples])[..., None]),
    }
    if floats:
        arrays = {name: array / np.float32(255) for name, array in arrays.items()}
    depths = [sample.depth for sample in samples if sample.depth is not None]
    if contract is not None and depths:
        arrays["depth"] = laid(np.stack(depths)[..., None])
        arrays["valid"] = arrays["depth"] != contract.invalid
    return arrays


def _channels_first(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def _as_they_are(array: NDArray[Any]) -> NDArray[Any]:
    return array
