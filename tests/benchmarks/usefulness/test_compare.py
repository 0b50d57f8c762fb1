"""Differences and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.usefulness import (
    compare,
)
from benchmarks.usefulness import table as results


def table(mean: float, seed: int, runs: int = 3, scenes: int = 40) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    of_scene = np.random.default_rng(99).normal(0, 1, scenes)
    return mean + of_scene + rng.normal(0, 0.05, (runs, scenes))


def test_paired_differences() -> None:
    """Scenes differ by far more than recipes do; pairs see the recipes all the same."""
    better = compare.difference(table(0.1, 1), table(0, 2), 500)
    assert better is not None
    assert better.is_clear
    assert better.mean == pytest.approx(0.1, abs=0.03)
    same = compare.difference(table(0, 3), table(0, 4), 500, has_pairs=False)
    assert same is not None
    assert not same.is_clear
    nothing = np.full((3, 40), np.nan)
    assert compare.difference(nothing, table(0, 1), 10) is None
    few = compare.difference(table(1, 1, scenes=7), table(0, 2, scenes=7), 10)
    assert few is not None
    assert (few.low, few.is_clear, few.is_none) == (None, False, False)
    assert results.interval(few).endswith("(too few scenes)")
    enough = compare.difference(table(1, 1, scenes=8), table(0, 2, scenes=8), 10)
    assert enough is not None
    assert enough.is_clear


def test_the_deviation_of_few_runs_is_not_too_small() -> None:
    """The mean of n runs has the variance of one by n, of which a plain bootstrap has (n-1)/n."""
    values = np.random.default_rng(0).normal(0, 1, (4000, 2, 1))
    rng = np.random.default_rng(1)
    variances = [(compare.resampled(rng, 2, 400) @ runs_).var() for runs_ in values]
    assert np.mean(variances) == pytest.approx(1 / 2, rel=0.05)
    assert compare.resampled(rng, 1, 3).tolist() == [[1], [1], [1]]
    assert compare.spread(np.array([1.0, 3.0])) == pytest.approx(2**0.5)
    assert compare.spread(np.array([1.0])) is None


def test_scores_by_scene() -> None:
    scores = {"a1": {"iou": 0.2}, "a2": {"iou": 0.4}, "b": {"iou": 1.0}, "c": {"f1": 1.0}}
    scenes = {"a1": "a", "a2": "a", "b": "b", "c": "c"}
    found = compare.table_of([scores], "iou", scenes)
    assert found[0, :2].tolist() == pytest.approx([0.3, 1.0])
    assert np.isnan(found[0, 2])
