"""Checks of depth maps against their contract, and the contract as JSON."""

from __future__ import annotations

from enum import Enum
from typing import Any

from depthmask.data import DepthContract, DepthKind, DepthMode, Float32
from depthmask.errors import DepthmaskError

_ROUNDING = 1e-6
"""Relative tolerance of the range check, since float32 cannot hold most bounds exactly."""


def check_depth(depth: Float32 | None, contract: DepthContract | None, key: str) -> None:
    """Raise `DepthmaskError` unless a depth map keeps its contract.

    Its valid values must be in near..far, and it must have the contract's resolution. Without a
    contract there must be no map. key: the sample, for the error.
    """
    if contract is None or depth is None:
        if contract is not None or depth is not None:
            raise DepthmaskError(
                f"sample {key}: the depth stage gave {'no' if depth is None else 'a'} map, "
                f"and promised {'none' if contract is None else 'one'}"
            )
        return
    if depth.shape != contract.resolution:
        raise DepthmaskError(
            f"sample {key}: {contract.estimator} gave a depth map of {depth.shape}, "
            f"its contract says {contract.resolution}"
        )
    least, greatest = float(depth.min()), float(depth.max())
    if least == contract.invalid:
        # Most maps have no invalid pixels, and the selection takes five times as long as the rest.
        valid = depth[depth != contract.invalid]
        if not valid.size:
            return
        least = float(valid.min())
        greatest = float(valid.max())
    near, far = contract.near * (1 - _ROUNDING), contract.far * (1 + _ROUNDING)
    # A NaN fails both comparisons.
    if not (least >= near and greatest <= far):
        raise DepthmaskError(
            f"sample {key}: depth {least:g}..{greatest:g} {contract.unit} is outside the contract "
            f"of {contract.estimator}, {contract.near:g}..{contract.far:g}"
        )


def contract_as_json(contract: DepthContract | None) -> dict[str, Any] | None:
    """The contract as JSON values, enums by name."""
    if contract is None:
        return None
    return {name: _plain(getattr(contract, name)) for name in DepthContract.__slots__}


def _plain(value: Any) -> Any:
    """A value of a contract as a JSON value."""
    if isinstance(value, Enum):
        return value.name
    return list(value) if isinstance(value, tuple) else value


def contract_from_json(data: dict[str, Any] | None) -> DepthContract | None:
    """The contract from the result of `contract_as_json`."""
    if data is None:
        return None
    return DepthContract(
        **{
            **data,
            "kind": DepthKind[data["kind"]],
            "mode": DepthMode[data["mode"]],
            "resolution": (data["resolution"][0], data["resolution"][1]),
        }
    )
