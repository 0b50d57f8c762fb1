"""Instances of a background: what layers leave of them, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depthmask.compose.background_instances import add_to_mask, visible_instances
from depthmask.data import (
    Background,
    BackgroundInstance,
    InstancePixels,
    LayerPixels,
    instance_map,
)

SIZE = 6, 8


def instance(
    height: int,
    width: int,
    top: int,
    left: int,
    *,
    is_crowd: bool = False,
    is_in_mask: bool = False,
) -> BackgroundInstance:
    mask = np.ones((height, width), bool)
    return BackgroundInstance("cat", mask, top, left, is_crowd, is_in_mask)


def background(*instances: BackgroundInstance) -> Background:
    return Background("wall", np.zeros((*SIZE, 3), np.uint8), instances=instances)


def layer(
    height: int, width: int, top: int, left: int, alpha: int = 255, least: int = 128
) -> LayerPixels:
    pixels = np.full((height, width), alpha, np.uint8)
    return LayerPixels(1, top, left, pixels, pixels, None, least)


def shown(pixels: InstancePixels) -> list[list[int]]:
    return pixels.shown.astype(int).tolist()


def test_a_layer_hides_the_pixels_that_belong_to_it() -> None:
    whole, half, gone = instance(2, 2, 4, 6), instance(2, 4, 0, 0), instance(2, 2, 0, 2)
    found = visible_instances(background(whole, half, gone), [layer(3, 3, 0, 2)], 0.25)
    assert [(one.number, one.instance, one.visible) for one in found] == [
        (2, whole, 1.0),
        (3, half, 0.5),
    ]
    assert shown(found[1]) == [[1, 1, 0, 0]] * 2


@pytest.mark.parametrize(
    ("alpha", "least", "is_hidden"),
    [(128, 128, True), (127, 128, False), (60, 60, True), (59, 60, False)],
)
def test_the_rule_is_that_of_instance_maps(alpha: int, least: int, is_hidden: bool) -> None:
    """Glass of alpha 120 hides what is behind it; a shadow does not."""
    (one,) = visible_instances(
        background(instance(2, 2, 0, 0)), [layer(2, 1, 0, 0, alpha, least)], 0.25
    )
    assert one.visible == (0.5 if is_hidden else 1.0)


def test_two_layers_hide_what_either_does() -> None:
    layers = [layer(6, 1, 0, 0), replace(layer(1, 8, 0, 0), number=2)]
    (one,) = visible_instances(background(instance(3, 3, 0, 0)), layers, 0)
    assert one.number == 3
    assert shown(one) == [[0, 0, 0], [0, 1, 1], [0, 1, 1]]


@pytest.mark.parametrize(("min_visible", "count"), [(0, 1), (0.25, 1), (0.26, 0), (1, 0)])
def test_what_is_hardly_visible_is_left_out(min_visible: float, count: int) -> None:
    scene = background(instance(2, 4, 0, 0), instance(1, 1, 0, 0))
    assert len(visible_instances(scene, [layer(2, 3, 0, 0)], min_visible)) == count


def test_the_instance_map_has_smaller_ones_in_front_and_crowds_behind() -> None:
    crowd, large = instance(1, 2, 0, 0, is_crowd=True), instance(3, 3, 0, 0)
    small, other = instance(2, 2, 1, 1), instance(2, 2, 2, 2)
    pixels = [layer(1, 1, 2, 2)]
    found = visible_instances(background(small, crowd, other, large), pixels, 0)
    assert instance_map(SIZE, pixels, found)[:4, :4].tolist() == [
        [5, 5, 5, 0],
        [5, 2, 2, 0],
        [5, 2, 1, 4],
        [0, 0, 4, 4],
    ]


def test_the_instance_map_has_16_bits_for_many() -> None:
    many = [instance(1, 1, number % 6, number % 8) for number in range(255)]
    for count, dtype in ((254, np.uint8), (255, np.uint16)):
        found = visible_instances(background(*many[:count]), [layer(0, 0, 0, 0)], 0)
        assert instance_map(SIZE, [layer(0, 0, 0, 0)], found).dtype == dtype


def test_the_mask_has_those_that_are_in_it() -> None:
    scene = background(instance(2, 2, 0, 0, is_in_mask=True), instance(2, 2, 4, 4))
    found = visible_instances(scene, [layer(1, 8, 0, 0)], 0)
    mask = np.full(SIZE, 7, np.uint8)
    assert add_to_mask(mask, found) == [(0, 2)]
    expected = np.full(SIZE, 7)
    expected[1, :2] = 255
    assert mask.tolist() == expected.tolist()
