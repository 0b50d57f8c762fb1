"""The contract of depth maps as JSON."""

from __future__ import annotations

from enum import Enum
from typing import Any

from depthmask.data import DepthContract, DepthKind, DepthMode


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
