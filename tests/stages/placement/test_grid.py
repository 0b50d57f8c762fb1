"""Placement on a grid."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthmask.data import Background, Foreground, Layer, Scene
from depthmask.stages.placement.grid import Grid


def place(
    grid: Grid,
    index: int,
    *,
    canvas: tuple[int, int] = (40, 60),
    size: tuple[int, int] = (10, 10),
    placed: int = 0,
    seed: int = 0,
) -> Layer:
    """A layer for an opaque cut-out of `size`, after `placed` others."""
    other = Layer("other", "", 0, 0, 1, 1, False)
    background = Background("bg", np.zeros((*canvas, 3), np.uint8))
    thing = Foreground("fg", "thing", np.full((*size, 4), 255, np.uint8))
    scene = Scene(index, background, (other,) * placed)
    return grid.place(scene, thing, False, np.random.default_rng(seed))


def test_cells_follow_one_another_by_rows() -> None:
    corners = [(box.top, box.left) for box in (place(Grid(rows=2, columns=3), i) for i in range(7))]
    # Cells of 20x20, boxes of 10x10 in their middle.
    assert corners == [(5, 5), (5, 25), (5, 45), (25, 5), (25, 25), (25, 45), (5, 5)]


def test_objects_of_one_sample_stand_in_consecutive_cells() -> None:
    grid = Grid(rows=2, columns=3)
    for placed in range(5):
        assert place(grid, 4, placed=placed) == place(grid, 4 + placed)


def test_every_cell_is_used_equally_often() -> None:
    counts = Counter(
        (box.top, box.left) for box in (place(Grid(rows=3, columns=4), i) for i in range(120))
    )
    assert set(counts.values()) == {10}
    assert len(counts) == 12


@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 6),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    index=st.integers(0, 50),
)
def test_a_cut_out_is_shrunk_to_its_cell_never_enlarged(
    rows: int, columns: int, height: int, width: int, index: int
) -> None:
    box = place(Grid(rows=rows, columns=columns), index, size=(height, width))
    cell_height, cell_width = 40 / rows, 60 / columns
    assert box.height <= min(height, round(cell_height))
    assert box.width <= min(width, round(cell_width))
    scale = min(1, cell_height / height, cell_width / width)
    assert abs(box.height - height * scale) <= 0.5 or box.height == 1
    assert abs(box.width - width * scale) <= 0.5 or box.width == 1
    row, column = divmod(index % (rows * columns), columns)
    # Centred in its cell, within the rounding of corner and size.
    assert abs(box.top + box.height / 2 - (row + 0.5) * cell_height) <= 1
    assert abs(box.left + box.width / 2 - (column + 0.5) * cell_width) <= 1


def test_jitter_moves_by_up_to_half_of_its_part_of_the_cell() -> None:
    grid = Grid(rows=2, columns=3, jitter=0.5)
    tops = {place(grid, 0, seed=seed).top for seed in range(300)}
    lefts = {place(grid, 0, seed=seed).left for seed in range(300)}
    assert tops == lefts == set(range(11))


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_a_proposal_takes_two_numbers(jitter: float) -> None:
    used, fresh = np.random.default_rng(3), np.random.default_rng(3)
    scene = Scene(0, Background("bg", np.zeros((8, 8, 3), np.uint8)))
    thing = Foreground("fg", "", np.full((2, 2, 4), 255, np.uint8))
    Grid(jitter=jitter).place(scene, thing, True, used)
    fresh.random(2)
    assert used.random() == fresh.random()
