"""Soft edges, and no colours of an old background."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.base import Patch
from depthmask.stages.blend.feather import SOLID, Feather, _taps, decontaminated


def matted_over_white(seed: int) -> tuple[Patch, np.ndarray]:
    """A cut-out whose soft pixels are mixed with white, and its true colours [h, w, 3]."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 200, (6, 6, 3)).astype(np.uint8)
    true = cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC).astype(np.float64)
    shape = np.zeros((64, 64), np.uint8)
    cv2.circle(shape, (32, 32), int(rng.integers(14, 22)), 255, -1)
    cv2.rectangle(shape, (28, 8), (36, 30), 255, -1)
    alpha = np.asarray(cv2.GaussianBlur(shape, (0, 0), 1.2), np.uint8)
    part = alpha[..., None] / 255
    rgb = np.rint(part * true + (1 - part) * 255).astype(np.uint8)
    return Patch(rgb, alpha), true


def rim(alpha: np.ndarray) -> np.ndarray:
    """The three pixels around the edge."""
    inside = (alpha >= 128).astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    return (cv2.dilate(inside, kernel, iterations=2) - cv2.erode(inside, kernel)) > 0


def _convolved(pixels: np.ndarray, taps: list[int], axis: int) -> np.ndarray:
    """A convolution along an axis in Python's integers, with the border mirrored."""
    count, reach = pixels.shape[axis], len(taps) // 2
    places = np.pad(np.arange(count), reach, mode="reflect")
    moved = [pixels.take(places[number : number + count], axis) for number in range(len(taps))]
    return np.sum([tap * one for tap, one in zip(taps, moved, strict=True)], axis=0)


@pytest.mark.parametrize("reach", [0.3, 2.0, 9.0])
def test_colours_follow_from_integers_alone(reach: float) -> None:
    """So no processor decides a level."""
    rng = np.random.default_rng(3)
    square = np.pad(np.full((20, 26), 255, np.uint8), 30)
    alpha = np.asarray(cv2.GaussianBlur(square, (0, 0), 3), np.uint8)
    rgb = rng.integers(0, 256, (*alpha.shape, 3), dtype=np.uint8)
    taps = [int(tap) for tap in _taps(reach)]
    solid = np.dstack([rgb, np.ones_like(alpha)]) * (alpha >= SOLID)[..., None]
    exact = _convolved(_convolved(solid.astype(object), taps, 0), taps, 1)
    weight = exact[..., 3]
    is_near = (alpha < SOLID) & (weight * 10_000 > (1 << 44))
    assert is_near.any()
    assert exact.max() < 1 << 53
    expected = rgb.copy()
    for row, column in zip(*np.nonzero(is_near), strict=True):
        colour, total = exact[row, column, :3], weight[row, column]
        expected[row, column] = [round(Fraction(int(one), int(total))) for one in colour]
    np.testing.assert_array_equal(decontaminated(np.dstack([rgb, alpha]), reach), expected)


@pytest.mark.parametrize("grey", [0, 60, 128])
def test_the_error_in_the_rim_is_halved_at_least(grey: int) -> None:
    errors = {"alpha": 0.0, "feather": 0.0}
    for seed in range(10):
        patch, true = matted_over_white(seed)
        part = patch.alpha[..., None] / 255
        truth = part * true + (1 - part) * grey
        for name, blend in (("alpha", Alpha()), ("feather", Feather(softness=0.0))):
            canvas = np.full((64, 64, 3), grey, np.uint8)
            colours = blend.mended(np.dstack([patch.rgb, patch.alpha]))
            blend.blend(canvas, Patch(colours, patch.alpha), 0, 0)
            errors[name] += float(np.abs(canvas - truth)[rim(patch.alpha)].mean())
    assert errors["feather"] <= errors["alpha"] / 2


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.8])
def test_the_error_in_the_rim_of_a_scaled_layer_is_halved_too(scale: float) -> None:
    """Mending before scaling leaves 2.8, 4.6, 6.2 levels; mending after it left 6.1, 6.9, 6.8."""
    errors = {"alpha": 0.0, "feather": 0.0}
    for seed in range(10):
        patch, true = matted_over_white(seed)
        truth = _scaled(true.clip(0, 255).astype(np.uint8), patch.alpha, scale)
        part = truth.alpha[..., None] / 255
        rgba = np.dstack([patch.rgb, patch.alpha])
        for name, blend in (("alpha", Alpha()), ("feather", Feather(softness=0.0))):
            canvas = np.full((*truth.alpha.shape, 3), 60, np.uint8)
            blend.blend(canvas, _scaled(blend.mended(rgba), patch.alpha, scale), 0, 0)
            error = np.abs(canvas - (part * truth.rgb + (1 - part) * 60))
            errors[name] += float(error[rim(truth.alpha)].mean())
    assert errors["feather"] <= errors["alpha"] / 2


def _scaled(rgb: np.ndarray, alpha: np.ndarray, scale: float) -> Patch:
    side = round(len(alpha) * scale)
    image = Image.fromarray(np.dstack([rgb, alpha]))
    scaled = np.asarray(image.resize((side, side), Image.Resampling.LANCZOS))
    return Patch(np.ascontiguousarray(scaled[..., :3]), np.ascontiguousarray(scaled[..., 3]))


def test_solid_pixels_and_those_far_from_any_keep_their_colour() -> None:
    alpha = np.zeros((9, 60), np.uint8)
    alpha[:, :5], alpha[:, 5:] = 255, 100
    rgb = np.random.default_rng(0).integers(0, 256, (9, 60, 3), dtype=np.uint8)
    found = decontaminated(np.dstack([rgb, alpha]), 2.0)
    assert np.array_equal(found[:, :5], rgb[:, :5])
    assert np.array_equal(found[:, 40:], rgb[:, 40:])
    assert not np.array_equal(found[:, 5:8], rgb[:, 5:8])


def test_what_has_no_solid_pixel_is_left_alone() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    faint = np.dstack([rgb, np.full((9, 9), 120, np.uint8)])
    assert np.array_equal(decontaminated(faint, 2.0), rgb)


def test_softness_widens_the_edge_in_the_picture_and_leaves_the_patch() -> None:
    alpha = np.zeros((9, 20), np.uint8)
    alpha[:, 10:] = 255
    patch = Patch(np.full((9, 20, 3), 200, np.uint8), alpha.copy())
    steps = []
    for softness in (0.0, 1.5):
        canvas = np.zeros((9, 20, 3), np.uint8)
        Feather(softness=softness).blend(canvas, patch, 0, 0)
        steps.append(np.count_nonzero((canvas[4, :, 0] > 0) & (canvas[4, :, 0] < 200)))
    assert steps[0] == 0
    assert steps[1] >= 4
    assert np.array_equal(patch.alpha, alpha)


def test_without_both_it_is_alpha() -> None:
    patch, _ = matted_over_white(1)
    plain, same = (np.full((64, 64, 3), 90, np.uint8) for _ in range(2))
    Alpha().blend(plain, patch, 0, 0)
    feather, rgba = Feather(softness=0.0, reach=0.0), np.dstack([patch.rgb, patch.alpha])
    feather.blend(same, patch, 0, 0)
    assert np.array_equal(plain, same)
    assert np.array_equal(feather.mended(rgba), patch.rgb)
