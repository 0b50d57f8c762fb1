"""From which alpha on a pixel belongs to a layer."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from depthmask.compose.least_alpha import least_alpha
from depthmask.data import FAINT_ALPHA, UInt8


def disc(side: int, alpha: int = 255) -> UInt8:
    """A disc with a soft edge."""
    large = Image.new("L", (side * 8, side * 8))
    ImageDraw.Draw(large).ellipse((0, 0, side * 8 - 1, side * 8 - 1), fill=alpha)
    return np.array(large.resize((side, side), Image.Resampling.LANCZOS))


@pytest.mark.parametrize("side", [5, 16, 40, 300])
def test_half_of_an_opaque_object(side: int) -> None:
    assert least_alpha(disc(side)) == 128


@pytest.mark.parametrize(("alpha", "expected"), [(255, 128), (253, 127), (120, 60), (17, 9)])
def test_half_of_the_alpha_of_glass(alpha: int, expected: int) -> None:
    assert least_alpha(np.full((5, 4), alpha, np.uint8)) == expected


def test_glass_with_an_opaque_rim_and_foot() -> None:
    glass = disc(60, 90)
    glass[:2] = glass[-6:] = 255
    assert least_alpha(glass) == 45


def test_a_wire_thinner_than_a_pixel() -> None:
    wire = np.zeros((20, 30), np.uint8)
    wire[:, 7] = 80
    assert least_alpha(wire) == 40


def test_half_of_a_chair_with_thin_legs() -> None:
    """Most of its pixels are soft, but none of its wood."""
    chair = np.zeros((30, 20), np.uint8)
    chair[8:14] = 255
    chair[:, [1, 4, 8, 12, 16]] = 140
    assert np.median(chair[chair > 0]) == 140
    assert least_alpha(chair) == 128


def test_noise_around_an_object_does_not_count() -> None:
    noisy = np.random.default_rng(0).integers(0, FAINT_ALPHA + 1, (90, 90), np.uint8)
    noisy[40:60, 30:60] = 250
    assert least_alpha(noisy) == 125
    assert least_alpha(np.full((3, 3), FAINT_ALPHA, np.uint8)) == 128
    assert least_alpha(np.zeros((3, 3), np.uint8)) == 128


def test_a_soft_shadow_does_not_belong_to_its_object() -> None:
    """Unless it is larger than the object."""
    with_shadow = np.zeros((40, 40), np.uint8)
    with_shadow[:20] = 255
    with_shadow[20:36] = 70
    assert least_alpha(with_shadow) == 128
