"""The depth metrics, by hand and against independent formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthmask.data import DepthKind
from depthmask.reports.evaluation.metrics import (
    Scores,
    aligned,
    mean_scores,
    scores,
    spearman,
    valid,
)


def test_scores_by_hand() -> None:
    found = scores(np.array([1.0, 2.0, 4.0]), np.array([1.0, 4.0, 2.0]))
    assert found.abs_rel == pytest.approx((0 + 0.5 + 1) / 3)
    assert found.rmse == pytest.approx(math.sqrt((0 + 4 + 4) / 3))
    assert found.log10 == pytest.approx(2 * math.log10(2) / 3)
    assert found.delta1 == found.delta2 == pytest.approx(1 / 3)
    # 1.25**3 = 1.953 < 2
    assert found.delta3 == pytest.approx(1 / 3)
    assert found.spearman == pytest.approx(0.5)


def test_perfect_and_mean() -> None:
    true_m = np.linspace(1, 5, 10)
    perfect = scores(true_m, true_m)
    assert perfect == Scores(0, 0, 0, 1, 1, 1, perfect.spearman)
    assert perfect.spearman == pytest.approx(1)
    assert mean_scores([perfect, scores(2 * true_m, true_m)]).abs_rel == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("kind", "predicted"),
    [
        (DepthKind.metric_z, lambda t: 3 * t),
        (DepthKind.relative, lambda t: 0.1 * t - 7),
        (DepthKind.disparity, lambda t: 20 / t + 3),
    ],
)
def test_alignment_recovers_the_truth(kind: DepthKind, predicted: object) -> None:
    true_m = np.random.default_rng(0).uniform(0.5, 8, 200)
    assert callable(predicted)
    assert np.allclose(aligned(predicted(true_m), true_m, kind), true_m)


def test_metric_alignment_is_by_the_median() -> None:
    found = aligned(np.array([1.0, 2.0, 30.0]), np.array([4.0, 6.0, 9.0]), DepthKind.metric_z)
    assert found.tolist() == [3.0, 6.0, 90.0]


def test_spearman() -> None:
    a = np.array([3.0, 1.0, 2.0, 2.0])
    assert spearman(a, a**3) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)
    # Ranks 4, 1, 2.5, 2.5 against 1, 2, 3, 4.
    assert spearman(a, np.arange(4.0)) == pytest.approx(-1.5 / math.sqrt(4.5 * 5))
    assert math.isnan(spearman(a, np.ones(4)))


def test_valid() -> None:
    depth = np.array([0, 1, np.nan, np.inf], np.float32)
    assert valid(depth).tolist() == [False, True, False, False]
