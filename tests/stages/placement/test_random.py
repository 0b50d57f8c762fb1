"""Placement at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthmask.data import Background, Foreground, Scene
from depthmask.errors import SettingError
from depthmask.stages.placement.base import scaled_layer
from depthmask.stages.placement.random import Positions, Random


def scene(height: int, width: int) -> Scene:
    """An empty canvas."""
    return Scene(0, Background("bg", np.zeros((height, width, 3), np.uint8)))


def thing(height: int, width: int) -> Foreground:
    """An opaque cut-out."""
    return Foreground("fg", "thing", np.full((height, width, 4), 255, np.uint8))


SIDE = st.integers(1, 12)


@given(positions=st.sampled_from(Positions), canvas=SIDE, box=SIDE)
def test_exactly_the_promised_positions_come_about(
    positions: Positions, canvas: int, box: int
) -> None:
    allowed = {
        # The box meets the canvas in one pixel at least.
        Positions.crossing: [s for s in range(-40, 40) if s < canvas and s + box > 0],
        # It lies within, or the canvas lies within it.
        Positions.inside: [
            s
            for s in range(-40, 40)
            if (s >= 0 and s + box <= canvas) or (s <= 0 and s + box >= canvas)
        ],
        Positions.canvas: list(range(canvas)),
    }[positions]
    rng = np.random.default_rng(0)
    placement = Random(positions=positions)
    seen = {placement.place(scene(canvas, 5), thing(box, 2), False, rng).top for _ in range(400)}
    assert seen == set(allowed)


@pytest.mark.parametrize("positions", Positions)
def test_positions_are_equally_likely_and_independent(positions: Positions) -> None:
    rng = np.random.default_rng(1)
    placement = Random(positions=positions)
    place = scene(6, 7), thing(3, 4)
    counts = Counter(
        (box.top, box.left) for box in (placement.place(*place, False, rng) for _ in range(6000))
    )
    share = {
        Positions.crossing: 6000 / ((6 + 2) * (7 + 3)),
        Positions.inside: 6000 / ((6 - 2) * (7 - 3)),
        Positions.canvas: 6000 / (6 * 7),
    }[positions]
    assert len(counts) == round(6000 / share)
    assert max(abs(count - share) for count in counts.values()) < 5 * share**0.5


def test_scale_is_uniform_within_its_ends_and_keeps_the_aspect() -> None:
    rng = np.random.default_rng(2)
    placement = Random(min_scale=0.5, max_scale=2.0)
    boxes = [placement.place(scene(9, 9), thing(100, 50), False, rng) for _ in range(2000)]
    heights = np.array([box.height for box in boxes])
    assert heights.min() < 55
    assert heights.max() > 195
    assert abs(heights.mean() - 125) < 5
    assert all(abs(box.height - 2 * box.width) <= 1 for box in boxes)


@pytest.mark.parametrize("flip", [False, True])
def test_a_layer_says_what_it_shows(make_foreground: Callable[..., Foreground], flip: bool) -> None:
    box = Random().place(
        scene(9, 9), make_foreground("cup", (3, 2)), flip, np.random.default_rng(0)
    )
    assert (box.foreground, box.label, box.flip) == ("cup", "a cup", flip)
    assert (box.height, box.width, box.depth_m) == (3, 2, None)


def test_a_proposal_takes_three_numbers() -> None:
    used, fresh = np.random.default_rng(3), np.random.default_rng(3)
    for positions in Positions:
        Random(positions=positions).place(scene(5, 5), thing(2, 2), False, used)
        fresh.random(3)
        assert used.random() == fresh.random()


def test_the_least_layer_has_one_pixel() -> None:
    box = scaled_layer(thing(10, 1), top=2, left=3, scale=0.01, flip=False)
    assert (box.top, box.left, box.height, box.width) == (2, 3, 1, 1)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"min_scale": 2.0, "max_scale": 1.0}, "max_scale=1: must be at least min_scale=2"),
        ({"min_scale": 0.0}, "min_scale=0: must be more than 0"),
        ({"min_visible": 1.5}, "min_visible=1.5: must be at most 1"),
        ({"attempts": 0}, "attempts=0: must be at least 1"),
    ],
)
def test_impossible_settings_are_refused(values: dict[str, float], text: str) -> None:
    with pytest.raises(SettingError) as caught:
        Random(**values)  # type: ignore[arg-type]
    assert str(caught.value) == text
