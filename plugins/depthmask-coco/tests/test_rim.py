"""The soft rim: nearer to the true alpha than a hard mask, the same bytes everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b

import known_alpha
import numpy as np
import pytest
from known_alpha import SEED_ASSETS, Case, mean_error

from depthmask_coco._rim import margin, soft_cut_out

needs_photographs = pytest.mark.skipif(
    not SEED_ASSETS.is_dir(), reason="the reference photographs are beside the checkout"
)


@needs_photographs
@pytest.mark.parametrize("cases", [known_alpha.seeds, known_alpha.hair])
def test_the_error_of_the_rim_is_at_most_half_of_that_of_a_hard_mask(
    cases: Callable[[], Iterator[Case]],
) -> None:
    one = mean_error(cases())
    assert one.alpha <= one.hard / 2
    # The pixels beside the rim pay for it, but less.
    assert one.everywhere < 0.6
    assert one.colour <= one.hard_colour / 2


def picture_and_mask() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:40, :50]
    mask = (np.hypot(y - 20, x - 25) < 12).astype(np.uint8)
    pixels = rng.integers(0, 60, (40, 50, 3)) + mask[..., None] * np.array([150, 100, 30])
    return pixels.astype(np.uint8), mask


def test_the_same_bytes_on_all_processors() -> None:
    rgba = soft_cut_out(*picture_and_mask(), rim=2)
    assert blake2b(rgba.tobytes(), digest_size=8).hexdigest() == "88c824b970089c2c"


def test_alpha_differs_from_the_mask_near_its_edge_alone() -> None:
    pixels, mask = picture_and_mask()
    y, x = np.mgrid[:40, :50]
    away = np.abs(np.hypot(y - 20, x - 25) - 12)
    for rim in (1, 2, 5):
        alpha = soft_cut_out(pixels, mask, rim)[..., 3]
        assert np.array_equal(alpha[away > rim + 1], mask[away > rim + 1] * 255)
        assert not np.array_equal(alpha, mask * 255)


def test_without_a_rim_the_mask_and_the_photograph_stay() -> None:
    pixels, mask = picture_and_mask()
    rgba = soft_cut_out(pixels, mask, 0)
    assert np.array_equal(rgba[..., :3], pixels)
    assert np.array_equal(rgba[..., 3], mask * 255)


def test_opaque_pixels_keep_their_colours() -> None:
    pixels, mask = picture_and_mask()
    rgba = soft_cut_out(pixels, mask, 2)
    opaque = rgba[..., 3] == 255
    assert opaque.sum() > 300
    assert np.array_equal(rgba[opaque][:, :3], pixels[opaque])


@pytest.mark.parametrize("rim", [1, 2, 7])
def test_what_lies_beyond_the_margin_changes_nothing(rim: int) -> None:
    """So a window of the photograph gives the pixels of the whole."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (120, 130, 3), dtype=np.uint8)
    mask = np.zeros((120, 130), np.uint8)
    mask[50:70, 55:80] = 1
    around = margin(rim)
    window = np.s_[50 - around : 70 + around, 55 - around : 80 + around]
    whole, part = (
        soft_cut_out(pixels, mask, rim)[window],
        soft_cut_out(pixels[window], mask[window], rim),
    )
    shows = whole[..., 3] > 0
    assert np.array_equal(whole[..., 3], part[..., 3])
    assert np.array_equal(whole[shows], part[shows])


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (3, 3)])
def test_thin_objects_stay_visible(shape: tuple[int, int]) -> None:
    pixels = np.full((40, 40, 3), 90, np.uint8)
    mask = np.zeros((40, 40), np.uint8)
    mask[4 : 4 + shape[0], 4 : 4 + shape[1]] = 1
    assert soft_cut_out(pixels, mask, 2)[..., 3].max() >= 128


def test_an_object_that_fills_its_photograph() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    rgba = soft_cut_out(pixels, np.ones((20, 30), np.uint8), 2)
    assert (rgba[..., 3] == 255).all()
    assert np.array_equal(rgba[..., :3], pixels)
