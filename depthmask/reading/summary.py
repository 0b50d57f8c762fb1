"""Says in one line what a sequence of samples has, for its `repr`."""

from __future__ import annotations

from collections.abc import Iterable

from depthmask.data import DepthContract
from depthmask.reading.splits import Splits
from depthmask.untrusted import visible


def summary(
    count: int,
    size: str,
    splits: Splits,
    only: str | None,
    contents: Iterable[str],
    contract: DepthContract | None,
) -> str:
    """As in `400 samples of 160x160 (train 320, val 80): image, mask, depth in m`.

    size: that of the images, as text. only: the split to which the samples belong, None for all.
    contents: what a sample has beside depth.
    """
    depth = [] if contract is None else [_depth(contract)]
    parts = only or ", ".join(f"{name} {number:,}" for name, number in splits.items())
    return f"{count:,} samples of {size} ({parts}): {', '.join([*contents, *depth])}"


def _depth(contract: DepthContract) -> str:
    return (
        f"depth in {visible(contract.unit)}" if contract.unit else f"depth ({contract.kind.name})"
    )
