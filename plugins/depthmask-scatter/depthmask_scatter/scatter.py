"""Cut-outs that keep their distance: `placement=scatter`."""

from __future__ import annotations

import numpy as np
from depthmask import Foreground, Layer, Placement, Scene, setting, stage


@stage("scatter")
class Scatter(Placement):
    """Draw several positions and use the one farthest from the earlier cut-outs.

    Mitchell's best candidate: "Spectrally optimal sampling for distribution ray tracing",
    SIGGRAPH 1991, https://doi.org/10.1145/127719.122736.
    """

    candidates: int = setting(8, ge=1, le=1000, help="positions drawn for each cut-out")

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Return the draw whose centre is farthest from the centres of the earlier layers."""
        middles = rng.random((self.candidates, 2)) * scene.size
        before = [(one.top + one.height / 2, one.left + one.width / 2) for one in scene.layers]
        gaps = middles[:, None] - np.reshape(before, (-1, 2))
        best = np.hypot(gaps[..., 0], gaps[..., 1]).min(axis=1, initial=np.inf).argmax()
        height, width = foreground.size
        top, left = (middles[best] - (height / 2, width / 2)).round().astype(int).tolist()
        return Layer(foreground.key, foreground.label, top, left, height, width, flip)
