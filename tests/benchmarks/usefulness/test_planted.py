"""Planted effects."""

from __future__ import annotations

import pytest

from benchmarks.usefulness import (
    compare,
)
from benchmarks.usefulness.planted import Effect


@pytest.mark.parametrize(
    ("plant", "mean", "low", "high", "spread", "is_seen"),
    [
        ("shuffled", -0.2, -0.3, -0.1, 0.05, True),
        ("shuffled", -0.2, -0.3, -0.1, 0.3, False),
        ("shuffled", -0.2, -0.5, 0.1, 0.05, False),
        ("shuffled", 0.2, 0.1, 0.3, 0.05, False),
        ("leaked", 0.2, 0.1, 0.3, 0.05, True),
        ("leaked", -0.2, -0.3, -0.1, 0.05, False),
        ("copy", 0.01, -0.1, 0.1, 0.05, True),
        ("copy", 0.2, 0.1, 0.3, 0.05, False),
    ],
)
def test_when_a_planted_effect_is_seen(
    plant: str, mean: float, low: float, high: float, spread: float, is_seen: bool
) -> None:
    effect = Effect(plant, "iou", compare.Difference(mean, low, high), spread)
    assert effect.is_seen == is_seen
    assert not Effect(plant, "iou", compare.Difference(mean, None, None), spread).is_seen
    error = Effect(plant, "abs_rel", compare.Difference(-mean, -high, -low), spread)
    assert error.is_seen == is_seen
