"""Fine bins, quantiles, and the bars of a chart."""

from __future__ import annotations

import numpy as np
import pytest

from depthmask.reports.dataset.histogram import Bar, Histogram


def test_numbers_are_counted_in_their_bin() -> None:
    numbers = Histogram(0.1, 1.0)
    # 0.3 / 0.1 is 2.9999999999999996; what is beyond counts at the ends.
    numbers.add([0.0, 0.3, 0.35, 1.0, 7.0, -2.0])
    assert numbers.counts.tolist() == [2, 0, 0, 2, 0, 0, 0, 0, 0, 2]
    assert numbers.total == 6


def test_bars_have_round_steps_and_hold_everything() -> None:
    numbers = Histogram(1, 1000)
    numbers.add(np.arange(103, 340))
    assert numbers.bars(12) == [
        Bar(100, 120, 17),
        *(Bar(start, start + 20, 20) for start in range(120, 340, 20)),
    ]
    assert [bar.stop - bar.start for bar in numbers.bars(11)] == [50] * 5


def test_few_numbers_have_a_bar_for_each_bin() -> None:
    numbers = Histogram(1, 10)
    numbers.add([4, 4, 6])
    assert numbers.bars() == [Bar(4, 5, 2), Bar(5, 6, 0), Bar(6, 7, 1)]


def test_quantiles_are_right_to_half_a_bin() -> None:
    chance = np.random.default_rng(0)
    values = chance.uniform(0, 10, 10_000)
    numbers = Histogram(0.01, 10)
    numbers.add(values)
    for part in (0.01, 0.25, 0.5, 0.99):
        assert numbers.quantile(part) == pytest.approx(np.quantile(values, part), abs=0.011)


def test_no_numbers() -> None:
    numbers = Histogram(0.01, 10)
    assert numbers.bars() == []
    assert numbers.quantile(0.5) == 0
