"""Placement on a line."""

from __future__ import annotations

import numpy as np
from depthmask import Foreground, Layer, Placement, Scene, setting, stage


@stage("old_placement")
class OldPlacementPlacement(Placement):
    """Cut-outs stand on a horizontal line, anywhere along it."""

    line: float = setting(0.9, ge=0, le=1, help="height of the line, 0 at the top, 1 at the foot")

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, random: np.random.Generator
    ) -> Layer:
        """Propose a box in pixels; all chance comes from `random`."""
        canvas_height, canvas_width = scene.size
        height, width = foreground.size
        top = round(self.line * canvas_height) - height
        left = int(random.integers(1 - width, canvas_width))
        return Layer(foreground.key, foreground.label, top, left, height, width, flip)
