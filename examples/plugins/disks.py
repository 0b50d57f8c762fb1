"""Cut-outs on Poisson disks: a placement that decides on all layers of a sample together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthmask import Foreground, Layer, NoPlaceError, Placement, Scene, scaled_layer, stage


@stage("disks")
class Disks(Placement):
    """Cut-outs with their middles on Poisson disks."""

    def arrange(self, scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return [n, 2], the middle of each cut-out as shares of height and width."""
        from scipy.stats import qmc

        middles = qmc.PoissonDisk(2, radius=0.2, rng=rng).random(len(scene.foregrounds))
        if len(middles) < len(scene.foregrounds):
            raise NoPlaceError("so many cut-outs do not fit", reason="no room; lower objects")
        return np.asarray(middles)

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Propose the box around the middle, with a little chance for a second proposal."""
        middle = (scene.arrangement[len(scene.layers)] + rng.normal(0, 0.01, 2)) * scene.size
        top, left = (middle - np.divide(foreground.size, 2)).round().astype(int).tolist()
        return scaled_layer(foreground, top=top, left=left, scale=1, flip=flip)
