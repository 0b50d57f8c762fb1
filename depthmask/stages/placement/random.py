"""Random placement, as in DepthMaskDataset and in "Cut, Paste and Learn"."""

from __future__ import annotations

from enum import Enum

import numpy as np

from depthmask.data import Foreground, Layer, Scene
from depthmask.errors import SettingError
from depthmask.stage import setting, stage
from depthmask.stages.placement.base import Placement, scaled_size


class Positions(Enum):
    """The set of positions, all of which are equally likely."""

    crossing = "crossing"
    """Box and canvas meet."""
    inside = "inside"
    """The box lies within the canvas, as far as it fits."""
    canvas = "canvas"
    """The box has its top-left corner on the canvas."""


# A member of an enumeration takes CPython 3.11 as long to look up as to call a function.
_CROSSING, _INSIDE = Positions.crossing, Positions.inside


@stage("random")
class Random(Placement):
    """Uniform position and scale, independent of the scene.

    positions: `crossing`, every position where box and canvas meet; `inside`, those where the box
    lies within the canvas (as far as it fits); `canvas`, the top-left corner anywhere on the
    canvas, as DepthMaskDataset did (https://github.com/genigarus/DepthMaskDataset).
    """

    positions: Positions = setting(
        Positions.crossing, help="box meets the canvas, lies inside, or has its corner on it"
    )
    min_scale: float = setting(1.0, gt=0, help="smallest size, relative to the prepared cut-out")
    max_scale: float = setting(1.0, gt=0, help="largest size, relative to the prepared cut-out")

    def __post_init__(self) -> None:
        if self.max_scale < self.min_scale:
            raise SettingError(
                "max_scale", self.max_scale, f"must be at least min_scale={self.min_scale:g}"
            )

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Draw scale, top and left; three numbers from `rng` for every proposal."""
        for_scale, for_top, for_left = rng.random(3).tolist()
        scale = self.min_scale + (self.max_scale - self.min_scale) * for_scale
        height, width = scaled_size(foreground, scale)
        canvas_height, canvas_width = scene.size
        start = self._start
        top, left = start(height, canvas_height, for_top), start(width, canvas_width, for_left)
        return Layer(foreground.key, foreground.label, top, left, height, width, flip)

    def _start(self, length: int, canvas: int, chance: float) -> int:
        """The start of the box along one axis, from a random number in 0..1."""
        positions = self.positions
        if positions is _CROSSING:
            return 1 - length + int(chance * (canvas + length - 1))
        first, last = sorted((0, canvas - length)) if positions is _INSIDE else (0, canvas - 1)
        return first + int(chance * (last - first + 1))
