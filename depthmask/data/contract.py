"""The meaning of the values in a depth map."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from depthmask.data.types import Size


class DepthKind(Enum):
    """The quantity that depth values measure."""

    metric_z = "metric_z"
    relative = "relative"
    disparity = "disparity"


class DepthMode(Enum):
    """How the depth of a sample was made."""

    estimated = "estimated"
    """Estimated by a network from the composite."""
    composited = "composited"
    """The background's depth with the layers set into it."""
    exact = "exact"
    """Known from the scene itself, or measured by a sensor; nothing is estimated."""


@dataclass(frozen=True, slots=True)
class DepthContract:
    """The meaning of the values in a depth map.

    Valid values lie in near..far [unit], 0 < near < far; `invalid`, always 0, marks a pixel without
    depth. clip: whether values beyond the range are set to its ends (otherwise they are an error).
    resolution: (height, width) of the maps. estimator, weights_sha256: the stage and the weights
    that made them.
    """

    kind: DepthKind
    unit: str
    near: float
    far: float
    invalid: float
    clip: bool
    resolution: Size
    estimator: str
    weights_sha256: str | None
    mode: DepthMode

    def __post_init__(self) -> None:
        if not (0 < self.near < self.far and self.invalid == 0):
            raise ValueError(
                f"depth contract of {self.estimator}: {self.near:g}..{self.far:g} with "
                f"{self.invalid:g} for invalid; it has to be 0 < near < far, and 0 for invalid"
            )
