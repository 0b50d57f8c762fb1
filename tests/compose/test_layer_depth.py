"""The depths of layers whose placement gives none: no farther than what they hide."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from depthmask.compose.layer_depth import foot_depth, layer_depths
from depthmask.data import Background, Layer, LayerPixels

FLOOR = Background(
    "bg", np.zeros((4, 5, 3), np.uint8), np.arange(1, 21, dtype=np.float32).reshape(4, 5)
)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0, 0, 4, 5), 18),  # row 3, column 2
        ((0, 1, 2, 2), 8),  # row 1, column 2
        ((3, 4, 9, 9), 20),  # below and right of the canvas
        ((-9, -9, 3, 3), 1),  # above and left of it
        ((2, -1, 1, 1), 11),
    ],
)
def test_foot_depth_is_taken_at_the_middle_of_the_lower_edge(
    numbers: tuple[int, int, int, int], expected: float
) -> None:
    assert foot_depth(FLOOR, box(*numbers)) == expected


def test_foot_depth_takes_the_nearest_valid_pixel() -> None:
    depth = np.zeros((4, 5), np.float32)
    depth[0, 0], depth[3, 4] = 2.5, 7.5
    scene = dataclasses.replace(FLOOR, depth_m=depth)
    assert foot_depth(scene, box(2, 3, 1, 1)) == 7.5
    assert foot_depth(scene, box(1, 0, 1, 1)) == 2.5


def test_foot_depth_without_any_valid_pixel() -> None:
    empty = np.zeros((4, 5), np.float32)
    assert foot_depth(dataclasses.replace(FLOOR, depth_m=empty), box(0, 0, 1, 1)) is None
    assert foot_depth(dataclasses.replace(FLOOR, depth_m=None), box(0, 0, 1, 1)) is None


def box(top: int, left: int, height: int, width: int, depth_m: float | None = None) -> Layer:
    return Layer("fg", "thing", top, left, height, width, False, depth_m)


def stacked(
    number: int, layer: Layer, alpha: int = 255, least_alpha: int = 128
) -> tuple[Layer, LayerPixels]:
    """The layer, its whole box on the canvas and of one alpha."""
    pixels = np.full((layer.height, layer.width), alpha, np.uint8)
    return layer, LayerPixels(number, layer.top, layer.left, pixels, pixels, None, least_alpha)


# FLOOR has 1 to 5 m in its first row, 6 to 10 m in the second, and so on.
@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        # Of the foot point, 13, and the covered pixels, 7, 8, 12 and 13.
        ([stacked(1, box(1, 1, 2, 2))], {1: 7}),
        # The depth of a placement stays, although the layer covers something nearer.
        ([stacked(1, box(1, 1, 2, 2, 9.5))], {1: 9.5}),
        # What is too soft to belong to it covers nothing.
        ([stacked(1, box(1, 1, 2, 2), alpha=100)], {1: 13}),
        ([stacked(1, box(1, 1, 2, 2), alpha=100, least_alpha=50)], {1: 7}),
        # In front of one at 2 m, and beside it.
        ([stacked(1, box(2, 2, 1, 2, 2.0)), stacked(2, box(2, 3, 2, 2))], {1: 2, 2: 2}),
        ([stacked(1, box(2, 0, 1, 2, 2.0)), stacked(2, box(2, 3, 2, 2))], {1: 2, 2: 14}),
        # One in front of one in front of one.
        (
            [stacked(2, box(0, 0, 1, 2)), stacked(3, box(0, 1, 2, 1)), stacked(1, box(1, 1, 2, 1))],
            {2: 1, 3: 1, 1: 1},
        ),
        # Behind a layer, its depth tells nothing.
        ([stacked(1, box(3, 0, 1, 3)), stacked(2, box(2, 2, 2, 1, 1.5))], {1: 16, 2: 1.5}),
    ],
)
def test_the_least_of_what_a_layer_hides(
    layers: list[tuple[Layer, LayerPixels]], expected: dict[int, float]
) -> None:
    assert layer_depths(FLOOR, layers) == expected


def test_pixels_without_depth_tell_nothing() -> None:
    assert FLOOR.depth_m is not None
    holes = FLOOR.depth_m.copy()
    holes[1, 1] = holes[2, 1] = 0
    background = dataclasses.replace(FLOOR, depth_m=holes)
    assert layer_depths(background, [stacked(1, box(1, 1, 2, 2))]) == {1: 8}
    assert layer_depths(background, [stacked(1, box(1, 1, 1, 1))]) == {1: 2}
    empty = dataclasses.replace(FLOOR, depth_m=np.zeros_like(holes))
    two = [stacked(1, box(1, 1, 2, 2)), stacked(2, box(1, 1, 2, 2))]
    assert layer_depths(empty, two) == {1: None, 2: None}
    assert layer_depths(dataclasses.replace(FLOOR, depth_m=None), two) == {1: None, 2: None}
