"""Instances of a picture on the canvas, against exact fractions."""

from __future__ import annotations

import itertools
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from depthmask import BackgroundInstance, resized_instance

Size = tuple[int, int]


def trimmed(mask: NDArray[np.bool_]) -> BackgroundInstance:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    inner = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return BackgroundInstance("cat", inner, int(rows[0]), int(columns[0]), meta={"id": 7})


def shares(picture: int, canvas: int, scale: Fraction) -> list[list[Fraction]]:
    """How much of each pixel of a side of a picture each pixel of the canvas covers."""
    first = (picture - canvas * scale) / 2
    edges = [first + number * scale for number in range(canvas + 1)]
    return [
        [
            max(Fraction(0), min(end, at + 1) - max(start, at))
            for at in map(Fraction, range(picture))
        ]
        for start, end in itertools.pairwise(edges)
    ]


def by_fractions(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    """Where a pixel of the canvas is covered by half, of a picture cropped at the centre."""
    scale = min(Fraction(side, canvas) for side, canvas in zip(mask.shape, size, strict=True))
    rows, columns = (
        shares(side, canvas, scale) for side, canvas in zip(mask.shape, size, strict=True)
    )
    result = np.zeros(size, bool)
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            covered = sum(
                row[i] * column[j] for i, j in zip(*map(list, np.nonzero(mask)), strict=True)
            )
            result[y, x] = 2 * covered >= scale * scale
    return result


@pytest.mark.parametrize("seed", range(40))
def test_a_pixel_belongs_to_what_covers_half_of_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture, size = (tuple(map(int, rng.integers(1, 13, 2))) for _ in range(2))
    blocks = np.kron(rng.random((7, 7)) < 0.5, np.ones((2, 2), bool))
    mask = blocks[: picture[0], : picture[1]]
    mask[0, 0] = True
    one = resized_instance(trimmed(mask), (picture[0], picture[1]), (size[0], size[1]))
    result = np.zeros(size, bool)
    if one is not None:
        assert (one.label, one.meta, one.is_crowd) == ("cat", {"id": 7}, False)
        for edge in (one.mask[0], one.mask[-1], one.mask[:, 0], one.mask[:, -1]):
            assert edge.any()
        result[one.window] = one.mask
    assert np.array_equal(result, by_fractions(mask, (size[0], size[1])))


def test_what_is_cropped_away_is_none() -> None:
    mask = np.zeros((10, 30), bool)
    mask[:, :9] = True
    assert resized_instance(trimmed(mask), (10, 30), (5, 5)) is None
    mask[:, 9:11] = True
    one = resized_instance(trimmed(mask), (10, 30), (10, 10))
    assert one is not None
    assert (one.top, one.left, one.mask.shape) == (0, 0, (10, 1))


def test_on_a_canvas_of_its_size_it_stays() -> None:
    mask = np.random.default_rng(1).random((9, 14)) < 0.3
    one = resized_instance(BackgroundInstance("cat", mask), mask.shape, mask.shape)
    assert one is not None
    result = np.zeros(mask.shape, bool)
    result[one.window] = one.mask
    assert np.array_equal(result, mask)
    assert resized_instance(BackgroundInstance("cat", mask & False), mask.shape, (9, 14)) is None


@pytest.mark.parametrize("shape", [(9, 14), (0, 14), (0, 0)])
@pytest.mark.parametrize("size", [(9, 14), (4, 6), (20, 20)])
def test_no_pixel_is_no_instance(shape: Size, size: Size) -> None:
    empty = BackgroundInstance("cat", np.zeros(shape, bool))
    assert resized_instance(empty, (9, 14), size) is None


def test_what_is_around_an_instance_takes_no_memory() -> None:
    """A mask as large as a photograph, of which an object covers a little."""
    mask = np.zeros((3000, 4000), bool)
    mask[1400:1500, 2000:2100] = True
    tracemalloc.start()
    one = resized_instance(BackgroundInstance("cat", mask), (3000, 4000), (300, 400))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert one is not None
    assert (one.top, one.left, one.mask.shape) == (140, 200, (10, 10))
    assert one.mask.all()
    assert peak < mask.size / 4


def test_what_is_around_an_instance_makes_no_difference() -> None:
    rng = np.random.default_rng(2)
    mask = np.pad(rng.random((6, 8)) < 0.4, 5)
    whole = resized_instance(BackgroundInstance("cat", mask), mask.shape, (7, 9))
    inner = resized_instance(trimmed(mask), mask.shape, (7, 9))
    assert whole is not None
    assert inner is not None
    assert (whole.top, whole.left) == (inner.top, inner.left)
    assert np.array_equal(whole.mask, inner.mask)
