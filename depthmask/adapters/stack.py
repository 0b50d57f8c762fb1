"""Stacks samples into the arrays of a batch, in the shapes that networks expect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data import DepthContract, Sample
from depthmask.errors import UsageError


def stacked(
    samples: Sequence[Sample],
    contract: DepthContract | None,
    *,
    floats: bool = True,
    channels_first: bool = False,
    labels: Sequence[str] = (),
) -> dict[str, NDArray[Any]]:
    """The arrays `image` and `mask`, and for samples with depth also `depth` and `valid`.

    image [n, h, w, 3], mask [n, h, w, 1]: float32 in 0..1, or uint8 unless `floats`. depth: float32
    [n, dh, dw, 1] by the contract. valid: bool [n, dh, dw, 1], where depth is known.
    channels_first: [n, 3, h, w] and so on. labels: names of labels to add, with their own values;
    maps [h, w] become [n, h, w, 1]. Raises `UsageError` for a label that cannot be stacked, and for
    samples of several sizes.
    """
    _require_one_size(samples)
    # Transpose before the conversion to float: bytes move faster than floats.
    arrange = _channels_first if channels_first else _channels_last
    arrays: dict[str, NDArray[Any]] = {
        "image": arrange(np.stack([sample.image for sample in samples])),
        "mask": arrange(np.stack([sample.mask for sample in samples])[..., None]),
    }
    if floats:
        arrays = {name: array / np.float32(255) for name, array in arrays.items()}
    depths = [sample.depth for sample in samples if sample.depth is not None]
    if contract is not None and depths:
        arrays["depth"] = arrange(np.stack(depths)[..., None])
        arrays["valid"] = arrays["depth"] != contract.invalid
    for name in labels:
        stack = _stack_of_label(samples, name)
        # Only pictures have channels: other arrays keep their shape.
        if stack.ndim == 3:
            stack = arrange(stack[..., None])
        elif stack.ndim == 4 and stack.shape[-1] == 3:
            stack = arrange(stack)
        arrays[name] = stack
    return arrays


def _require_one_size(samples: Sequence[Sample]) -> None:
    """Raise `UsageError` unless all images have one size, and all depth maps."""
    depths = {sample.depth.shape for sample in samples if sample.depth is not None}
    for what, sizes in (("images", {sample.size for sample in samples}), ("depth maps", depths)):
        if len(sizes) > 1:
            text = " and ".join(f"{height}x{width}" for height, width in sorted(sizes)[:2])
            raise UsageError(
                f"a batch has {what} of {text}, and needs one size; take batches of one sample, or "
                "make the dataset with size=[H,W]"
            )


def _stack_of_label(samples: Sequence[Sample], name: str) -> NDArray[Any]:
    values = [sample.labels.get(name) for sample in samples]
    if not all(isinstance(value, np.ndarray) for value in values):
        known = ", ".join(sorted(samples[0].labels)) or "none"
        raise UsageError(f"labels: {name} is no array in every sample; the labels are {known}")
    if len({value.shape for value in values if value is not None}) > 1:
        raise UsageError(f"labels: {name} has another shape in each sample, so it makes no batch")
    return np.stack(values)  # type: ignore[arg-type]


def _channels_first(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    return array
