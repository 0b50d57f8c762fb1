"""Writes quantities with their units as users see them: depth by its contract, and bytes."""

from __future__ import annotations

from depthmask.data import DepthContract, DepthKind

_NAMES = {
    DepthKind.metric_z: "depth",
    DepthKind.relative: "relative depth",
    DepthKind.disparity: "disparity",
}


def depth_title(contract: DepthContract | None) -> str:
    """The quantity with its unit, for a title or an axis: `depth [m]`, `disparity`."""
    if contract is None:
        return "depth"
    return with_unit(_NAMES[contract.kind], contract.unit)


def with_unit(title: str, unit: str) -> str:
    """A title with the unit of its numbers, if they have one."""
    return f"{title} [{unit}]" if unit else title


def size(bytes: float) -> str:
    """A number of bytes in the unit that fits, with three digits: `512 bytes`, `1.50 MB`."""
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        value = bytes / 10**power
        if value >= 0.9995:
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:,.{digits}f} {unit}"
    return "1 byte" if round(bytes) == 1 else f"{bytes:,.0f} bytes"
