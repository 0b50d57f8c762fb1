"""Placement on a regular grid, in which every cell is used equally often."""

from __future__ import annotations

import numpy as np

from depthmask.data import Foreground, Layer, Scene
from depthmask.stage import setting, stage
from depthmask.stages.placement.base import Placement, scaled_layer


@stage("grid")
class Grid(Placement):
    """Cells of a regular grid, filled one after another in the order of the samples.

    A cut-out is shrunk to fit its cell, centred in it and moved by the jitter. The objects of one
    sample are in consecutive cells.
    """

    rows: int = setting(2, ge=1, help="rows of cells")
    columns: int = setting(2, ge=1, help="columns of cells")
    jitter: float = setting(0.0, ge=0, le=1, help="random shift, as a fraction of the cell's size")

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Centre the cut-out in the cell given by the numbers of the sample and the layer."""
        cell = (scene.index + len(scene.layers)) % (self.rows * self.columns)
        row, column = divmod(cell, self.columns)
        cell_height, cell_width = scene.size[0] / self.rows, scene.size[1] / self.columns
        height, width = foreground.size
        scale = min(1.0, cell_height / height, cell_width / width)
        down, right = self.jitter * (rng.random(2) - 0.5)
        return scaled_layer(
            foreground,
            top=round((row + 0.5 + down) * cell_height - height * scale / 2),
            left=round((column + 0.5 + right) * cell_width - width * scale / 2),
            scale=scale,
            flip=flip,
        )
