"""The legend: round numbers under the colours that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from depthmask.data import DepthContract, DepthKind, DepthMode
from depthmask.reports.colormap import colour
from depthmask.reports.legend import legend, ticks

CONTRACT = DepthContract(
    kind=DepthKind.metric_z,
    unit="m",
    near=0.1,
    far=10.0,
    invalid=0.0,
    clip=True,
    resolution=(8, 8),
    estimator="somebody",
    weights_sha256=None,
    mode=DepthMode.estimated,
)


@pytest.mark.parametrize(
    ("least", "greatest", "expected"),
    [
        (1.7, 5.3, [2, 2.5, 3, 3.5, 4, 4.5, 5]),
        (0.1, 10, [2, 4, 6, 8, 10]),
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (3.001, 3.009, [3.001, 3.002, 3.003, 3.004, 3.005, 3.006, 3.007, 3.008, 3.009]),
        (0.0, 640.0, [0, 100, 200, 300, 400, 500, 600]),
    ],
)
def test_ticks_are_round_numbers(least: float, greatest: float, expected: list[float]) -> None:
    assert ticks(least, greatest) == pytest.approx(expected)


def test_colours_are_those_of_the_pictures() -> None:
    pixels = np.asarray(legend(2.0, 6.0, CONTRACT))
    row = pixels[60]
    ends = colour(np.array([[2.0, 6.0]], np.float32), 2.0, 6.0)[0]
    assert np.array_equal(row[28], ends[0])
    assert np.array_equal(row[28 + 479], ends[1])
    assert (row == 64).all(axis=-1).sum() == 40
