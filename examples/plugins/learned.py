"""Settings of every kind, on a placement."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from depthmask import (
    Foreground,
    Layer,
    Placement,
    Scene,
    SettingError,
    scaled_layer,
    setting,
    stage,
)


@stage("learned")
class Learned(Placement):
    """Positions from a table of weights."""

    weights: Path = setting(by_content=True, help="text file of 16 weights, for cells in rows of 4")
    batch: int = setting(8, ge=1, decides_bytes=False, help="cut-outs for each call of the network")
    mode: Literal["draw", "best"] = setting("draw", help="how a cell is chosen")
    shares: dict[str, float] = setting({}, ge=0, le=1, help="share of the positions by label")
    corners: list[list[float]] = setting(
        [[0, 0], [1, 1]], help="corners of the area, [y, x] in 0..1"
    )
    least_m: float | None = setting(None, gt=0, help="least distance in metres; null: any")

    def __post_init__(self) -> None:
        (top, left), (bottom, right) = self.corners
        if not (top < bottom and left < right):
            raise SettingError("corners", self.corners, "must be [[top, left], [bottom, right]]")

    def check_resources(self) -> None:
        """Called in the process of a run, before anything is written."""
        if not self.weights.is_file() or np.loadtxt(self.weights).size != 16:
            raise SettingError("weights", self.weights, "must be a text file with 16 numbers")

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Propose the middle of a cell, drawn by its weight."""
        weights = np.loadtxt(self.weights).reshape(16)
        best = self.mode == "best"
        cell = int(weights.argmax() if best else rng.choice(16, p=weights / weights.sum()))
        (top, left), (bottom, right) = self.corners
        y = top + (bottom - top) * (cell // 4 + 0.5) / 4
        x = left + (right - left) * (cell % 4 + 0.5) / 4
        middle = np.multiply((y, x), scene.size) - np.divide(foreground.size, 2)
        row, column = middle.round().astype(int).tolist()
        return scaled_layer(foreground, top=row, left=column, scale=1, flip=flip)
