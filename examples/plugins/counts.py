"""A statistic: the number of layers of each sample."""

from __future__ import annotations

import depthmask


def layers(sample: depthmask.Sample) -> int:
    """The number of layers in a sample."""
    return len(sample.meta["layers"])


@depthmask.hookimpl
def depthmask_statistics() -> list[depthmask.Statistic]:
    """The statistics of this package."""
    return [depthmask.Statistic("layers", "Layers in a sample.", layers, bins=(0, 20, 20))]
