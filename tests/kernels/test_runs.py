from __future__ import annotations

import numpy as np
import pytest

from depthmask.kernels import runs
from depthmask.kernels.compiled import native

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")


@COMPILED
@pytest.mark.parametrize("seed", range(40))
def test_the_fallback_gives_the_same_runs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width, *around = (
        int(one) for one in rng.integers((1, 1, 0, 0, 0, 0), (70, 70, *[3] * 4))
    )
    mask = rng.random((height, width)) < rng.choice([0.02, 0.5, 0.98])
    mask[rng.integers(height), rng.integers(width)] = True
    top, bottom, left, right = around
    where = top, left, (top + height + bottom, left + width + right)
    assert runs.mask_runs(mask, *where) == runs._mask_runs(mask, *where)


def test_a_run_that_reaches_the_foot_goes_on_at_the_top() -> None:
    full = runs.mask_runs(np.ones((3, 2), bool), 0, 1, (3, 4))
    assert full == (6, [0, 1, 3, 2], [3, 6, 3])


def test_an_empty_mask_is_one_run() -> None:
    empty = runs.mask_runs(np.zeros((3, 2), bool), 1, 1, (5, 4))
    assert (empty.area, empty.lengths) == (0, [20])


def test_views_are_read_as_their_copies() -> None:
    mask = np.random.default_rng(3).random((40, 50)) < 0.5
    for view in (mask[3:20, 5:31], mask[::2, ::-1], mask.T):
        size = view.shape[0], view.shape[1]
        assert runs.mask_runs(view, 0, 0, size) == runs.mask_runs(view.copy(), 0, 0, size)


def test_any_byte_but_zero_is_true() -> None:
    mask = np.array([[0, 255, 1], [128, 0, 2]], np.uint8)
    expected = runs.mask_runs(mask > 0, 0, 0, (2, 3))
    assert runs.mask_runs(mask.view(bool), 0, 0, (2, 3)) == expected


@COMPILED
@pytest.mark.parametrize("where", [(-1, 0, (9, 9)), (0, 7, (9, 9)), (0, 0, (1, 9))])
def test_masks_beyond_the_canvas_are_refused(where: tuple[int, int, tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="canvas"):
        runs.mask_runs(np.ones((2, 3), bool), *where)
