"""Placements: where on the background a foreground goes."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from depthmask.data import Foreground, Layer, Scene, Size
from depthmask.stage import Stage, setting, settings


@settings
class Placement(Stage):
    """Proposes one layer at a time; the framework keeps those that show and overlap as asked."""

    kind: ClassVar[str] = "placement"
    reads_geometry: ClassVar[bool] = False
    """Whether `place` needs the background's depth, camera or plane."""
    needs_ground: ClassVar[bool] = False
    """Whether it needs a floor, also where the source knows none: then one is fitted."""

    min_visible: float = setting(
        0.25, ge=0, le=1, help="least part of each cut-out that is to be seen"
    )
    max_overlap: float = setting(
        0.5,
        ge=0,
        le=1,
        help="largest part of a new cut-out that may lie over or under earlier ones",
    )
    tolerance: float = setting(
        0.5, ge=0, lt=1, help="depth by a network hides what is farther by this part or more"
    )
    attempts: int = setting(100, ge=1, help="proposals for a cut-out before the run gives up")

    @abstractmethod
    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Propose a box [pixels] for the foreground; all chance comes from `rng`.

        A layer with `depth_m` is hidden by what is nearer, of the background and of other layers;
        without, it lies in front of those before. Raises `NoPlaceError` if this background has no
        place for it, which no other draw would change: the sample draws other assets.
        """


def scaled_size(foreground: Foreground, scale: float) -> Size:
    """(height, width) in pixels of the foreground `scale` times as large, at least one pixel."""
    height, width = foreground.size
    return max(1, round(height * scale)), max(1, round(width * scale))


def layer(foreground: Foreground, *, top: int, left: int, scale: float, flip: bool) -> Layer:
    """A layer that shows the foreground `scale` times its prepared size."""
    height, width = scaled_size(foreground, scale)
    return Layer(foreground.key, foreground.label, top, left, height, width, flip)
