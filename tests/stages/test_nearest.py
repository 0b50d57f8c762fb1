"""Known pixels spread over those beside them, by hand."""

from __future__ import annotations

import numpy as np

from depthmask.stages._nearest import nearest_valid


def test_each_pixel_has_the_value_of_the_nearest_that_is_known() -> None:
    values = np.array([[1, 9, 9, 9, 2], [9, 9, 9, 9, 9]], np.float32)
    known = np.zeros((2, 5), bool)
    known[0, 0] = known[0, 4] = True
    found = nearest_valid(values, known)
    assert found.dtype == np.float32
    assert found[:, [0, 1, 3, 4]].tolist() == [[1, 1, 2, 2]] * 2
    assert np.isin(found[:, 2], (1, 2)).all(), "as near to the one as to the other"


def test_colours_stay_together_and_known_pixels_stay() -> None:
    values = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    known = np.zeros((3, 4), bool)
    known[1, 1] = True
    assert (nearest_valid(values, known) == values[1, 1]).all()
    assert np.array_equal(nearest_valid(values, np.ones((3, 4), bool)), values)


def test_nothing_known_is_zero() -> None:
    assert not nearest_valid(np.ones((2, 3), np.uint8), np.zeros((2, 3), bool)).any()
