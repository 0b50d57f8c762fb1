"""Cut-outs that keep their distance, all placed together: `placement=disks`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from depthmask import (
    Foreground,
    Layer,
    NoPlaceError,
    Placement,
    Scene,
    scaled_layer,
    setting,
    stage,
)


@stage("disks")
class Disks(Placement):
    """The middles of the cut-outs are Poisson disk samples of the canvas.

    Bridson, "Fast Poisson Disk Sampling in Arbitrary Dimensions", SIGGRAPH 2007.
    """

    gap: float = setting(
        0.3, gt=0, lt=1, help="least distance of two middles, relative to the canvas"
    )
    jitter: float = setting(0.02, ge=0, lt=1, help="shift of each proposal, relative to the canvas")

    def arrange(self, scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
        """Middles [n, 2] of all cut-outs, 0..1; `NoPlaceError` if so many do not fit."""
        from scipy.stats import qmc

        count = len(scene.foregrounds)
        middles = qmc.PoissonDisk(2, radius=self.gap, rng=rng).random(count)
        if len(middles) < count:
            raise NoPlaceError(f"{count} cut-outs do not fit at placement.gap={self.gap:g}")
        return np.asarray(middles)

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Centre the cut-out at its middle, moved by the jitter."""
        number = len(scene.layers)
        (child,) = rng.spawn(1)
        middle = scene.arrangement[number] + self.jitter * (child.random(2) - 0.5)
        corner = middle * scene.size - np.divide(foreground.size, 2)
        top, left = corner.round().astype(int).tolist()
        layer = scaled_layer(foreground, top=top, left=left, scale=1, flip=flip)
        return replace(layer, meta={"disk": number, "disks": len(scene.foregrounds)})
