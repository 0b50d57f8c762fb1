"""Cut-outs are farther from each other than at random positions."""

from __future__ import annotations

import itertools
import math

import numpy as np
from depthmask import Background, Foreground, Layer, Scene

from depthmask_scatter.scatter import Scatter

CUT_OUT = Foreground("cup", "cup", np.full((10, 8, 4), 255, np.uint8))
CANVAS = Background("wall", np.zeros((100, 100, 3), np.uint8))


def nearest(stage: Scatter, key: int) -> float:
    """The distance in pixels between the nearest two of four cut-outs."""
    rng = np.random.Generator(np.random.Philox(key=key))
    layers: tuple[Layer, ...] = ()
    for _ in range(4):
        layers = (*layers, stage.place(Scene(0, CANVAS, layers), CUT_OUT, False, rng))
    corners = [(one.top, one.left) for one in layers]
    return min(math.dist(*pair) for pair in itertools.combinations(corners, 2))


def test_candidates_keep_cut_outs_apart() -> None:
    means = [
        np.mean([nearest(Scatter(candidates=candidates), key) for key in range(200)])
        for candidates in (1, 8, 16)
    ]
    assert np.round(means).tolist() == [22, 46, 54]  # as the README says


def test_the_first_lies_with_its_middle_on_the_canvas() -> None:
    for key in range(50):
        rng = np.random.Generator(np.random.Philox(key=key))
        layer = Scatter().place(Scene(0, CANVAS), CUT_OUT, True, rng)
        assert -5 <= layer.top <= 95
        assert -4 <= layer.left <= 96
        assert layer.flip
