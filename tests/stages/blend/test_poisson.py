"""Blending by gradients, and when not to."""

from __future__ import annotations

import numpy as np
import pytest

from depthmask.data import UInt8
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.base import Patch
from depthmask.stages.blend.poisson import Poisson, cloned


def wall(level: int = 120) -> UInt8:
    """40x50 with a gentle slope."""
    slope = level + np.arange(50, dtype=np.uint8) // 5
    return np.repeat(np.tile(slope, (40, 1))[..., None], 3, axis=2)


def block(height: int, width: int, rgb: UInt8) -> Patch:
    return Patch(rgb[:height, :width].copy(), np.full((height, width), 255, np.uint8))


@pytest.mark.parametrize(("top", "left"), [(10, 20), (0, 0), (24, 33), (0, 33), (7, 1)])
def test_what_is_cut_from_the_background_goes_back_unseen(top: int, left: int) -> None:
    """A shift by a pixel would show in the spots, which are 30 levels brighter."""
    canvas = wall()
    canvas[::7, ::5] += 30
    patch = Patch(canvas[top : top + 16, left : left + 17].copy(), np.full((16, 17), 255, np.uint8))
    found = canvas.copy()
    assert Poisson().blend(found, patch, top, left)
    # At the edge the pixels beyond are not known to the cut-out.
    assert np.abs(found.astype(int) - canvas).mean() < 0.5
    assert np.abs(found.astype(int) - canvas).max() <= 15


def test_a_cut_out_takes_on_the_light_around_it() -> None:
    canvas = wall(160)
    thing = wall(148)[:16, :17]
    thing[4:12, 4:12] += 40
    patch = block(16, 17, thing)
    plain, found = canvas.copy(), canvas.copy()
    Alpha().blend(plain, patch, 10, 20)
    assert Poisson().blend(found, patch, 10, 20)
    ring = np.ones((16, 17), bool)
    ring[2:-2, 2:-2] = False
    there = canvas[10:26, 20:37].astype(int)
    step_plain = np.abs(plain[10:26, 20:37] - there)[ring].mean()
    step = np.abs(found[10:26, 20:37] - there)[ring].mean()
    assert step < step_plain / 5
    # Its own pattern stays.
    inside = found[10:26, 20:37].astype(int)
    assert inside[6:10, 6:10].mean() - inside[1:3].mean() > 25


def test_pixels_beyond_the_patch_stay() -> None:
    canvas = wall()
    found = canvas.copy()
    patch = block(12, 12, wall(110))
    patch.rgb[4:8, 2:4] += 60
    patch.alpha[:, 6:] = 0
    Poisson().blend(found, patch, 5, 5)
    changed = (found != canvas).any(axis=2)
    assert changed[5:17, 5:11].any()
    changed[5:17, 5:11] = False
    assert not changed.any()


def test_where_it_would_smear_alpha_is_used_and_told() -> None:
    canvas, patch = wall(220), block(16, 17, wall(20))
    expected, found = canvas.copy(), canvas.copy()
    Alpha().blend(expected, patch, 10, 20)
    assert not Poisson().blend(found, patch, 10, 20)
    assert np.array_equal(found, expected)
    assert Poisson(most_change=255).blend(found, patch, 10, 20)


@pytest.mark.parametrize("most", [10.0, 20.0])
def test_a_large_change_is_weakened_to_the_largest(most: float) -> None:
    canvas, thing = wall(150), wall(125)
    thing[4:12, 4:12] += 40
    patch = block(16, 17, thing)
    found = canvas.copy()
    assert Poisson(most_change=most).blend(found, patch, 10, 20)
    change = np.abs(found[10:26, 20:37].astype(int) - patch.rgb).mean()
    assert change == pytest.approx(most, abs=0.7)


def test_the_smallest_are_left_to_alpha() -> None:
    canvas, patch = wall(), block(3, 5, wall(100))
    assert cloned(canvas, patch, 3, 3) is None
    expected, found = canvas.copy(), canvas.copy()
    Alpha().blend(expected, patch, 3, 3)
    assert not Poisson().blend(found, patch, 3, 3)
    assert np.array_equal(found, expected)


def test_thin_parts_do_not_vanish() -> None:
    """A leg of two pixels: OpenCV by itself would take three from either side."""
    canvas, rgb = wall(150), wall(150)[:30, :12]
    rgb[:, 5:7] = 90
    patch = Patch(rgb.copy(), np.zeros((30, 12), np.uint8))
    patch.alpha[:, 4:8] = 255
    found = canvas.copy()
    assert Poisson().blend(found, patch, 5, 20)
    leg = found[10:30, 25:27].astype(int).mean()
    beside = found[10:30, [24, 27]].astype(int).mean()
    assert beside - leg > 40
