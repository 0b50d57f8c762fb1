"""Checks of depth maps against their contract."""

from __future__ import annotations

import math

import numpy as np

from depthmask.data import DepthContract, Float32
from depthmask.errors import DepthmaskError
from depthmask.kernels.sums import depth_range
from depthmask.stage.calls import described, is_array

_ROUNDING = 1e-6
"""Relative tolerance of the range check, since float32 cannot hold most bounds exactly."""


def check_depth(depth: Float32 | None, contract: DepthContract | None, key: str) -> None:
    """Raise `DepthmaskError` unless a depth map keeps its contract. key: the sample."""
    if fault := depth_fault(depth, contract):
        raise DepthmaskError(f"sample {key}: the depth stage returned {fault}")


def depth_fault(depth: Float32 | None, contract: DepthContract | None) -> str | None:
    """What a stage returned instead of a depth map by its contract, as text; None if it is right.

    A map is float32 with the contract's resolution, and its valid values are in near..far. Without
    a contract there must be no map.
    """
    if contract is None or depth is None:
        if contract is not None:
            return "no map; its contract promises one"
        return None if depth is None else "a map; its contract promises none"
    if not is_array(depth, np.float32, contract.resolution):
        height, width = contract.resolution
        return (
            f"a map of {described(depth)}; the contract of {contract.estimator} is "
            f"float32 [{height}, {width}]"
        )
    least, greatest = depth_range(depth)
    if least == greatest == contract.invalid:
        return None
    near, far = contract.near * (1 - _ROUNDING), contract.far * (1 + _ROUNDING)
    # A NaN fails both comparisons.
    if least >= near and greatest <= far:
        return None
    if not (math.isfinite(least) and math.isfinite(greatest)):
        return "a map with values that are not finite"
    return (
        f"a map of {least:g}..{greatest:g} {contract.unit}; the contract of {contract.estimator} "
        f"is {contract.near:g}..{contract.far:g}"
    )
