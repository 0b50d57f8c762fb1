"""Names depth and its unit as reports show them, by the contract of the dataset."""

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
