"""Statistics that plugins add: exact whatever the order, and checked where they are read."""

from __future__ import annotations

import itertools
import json
import math
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthmask.errors import UsageError
from depthmask.statistics.added import (
    Bins,
    Distribution,
    Quantity,
    Statistic,
    Values,
    checked_summaries,
)
from depthmask.statistics.pixels import Statistics

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def empty(bins: Bins | None = None, version: str = "1.0", package: str = "edges") -> Distribution:
    return Distribution(Quantity(package, "m", bins), {f"{package} {version}": f"in {version}"})


def of(samples: list[Values], bins: Bins | None = None) -> Distribution:
    distribution = empty(bins)
    for values in samples:
        distribution.add(values)
    return distribution


@given(samples=st.lists(st.lists(FLOATS, max_size=4), min_size=1, max_size=8), seed=st.integers())
def test_any_order_and_any_shards_give_the_same(samples: list[list[float]], seed: int) -> None:
    bins = (-1.0, 1.0, 7)
    shuffled = random.Random(seed).sample(samples, len(samples))
    total = empty(bins)
    for values in shuffled:
        shard = of([values], bins)
        total.merge(Distribution.from_sums(json.loads(json.dumps(shard.as_sums()))))
    assert total == of(list(samples), bins)
    assert json.dumps(total.summary()) == json.dumps(of(list(samples), bins).summary())


@given(values=st.lists(FLOATS, min_size=1, max_size=9))
def test_moments_are_those_of_fractions(values: list[float]) -> None:
    exact = [Fraction(value) for value in values]
    mean = sum(exact, Fraction()) / len(exact)
    variance = sum(((value - mean) ** 2 for value in exact), Fraction()) / len(exact)
    total = of([values])
    assert total.mean == float(mean)
    assert (total.least, total.greatest) == (min(values), max(values))
    # The root of a fraction too large for a float, by integers.
    scale = 1 << 4000
    root = Fraction(math.isqrt(variance.numerator * scale**2 // variance.denominator), scale)
    assert total.std == pytest.approx(float(root), rel=1e-15, abs=5e-324)


def test_cancelling_values_are_exact() -> None:
    assert of([1e200, 1.0, -1e200]).mean == 1 / 3
    assert of([[1e9 + 0.25, 1e9 - 0.25]]).std == 0.25


def test_the_sign_of_zero_does_not_depend_on_the_order() -> None:
    texts = {json.dumps(of(list(order)).as_sums()) for order in itertools.permutations([0.0, -0.0])}
    assert len(texts) == 1


def test_bins_are_those_of_numpy() -> None:
    values = np.random.default_rng(1).normal(0, 3, 1000)
    counts, _ = np.histogram(values, bins=20, range=(-2, 4))
    assert of([values], (-2, 4, 20)).counts == [
        int((values < -2).sum()), *counts.tolist(), int((values > 4).sum())
    ]  # fmt: skip
    # Multiples of a hundredth, which floats only approximate, and both ends.
    hundredths = of([[number / 100 for number in range(101)]], (0, 1, 100)).counts
    assert hundredths == [0, *[1] * 99, 2, 0]
    inside, outside = np.nextafter([0, 1], 0.5), np.nextafter([0, 1], [-1, 2])
    assert of([[*inside, *outside]], (0, 1, 3)).counts == [1, 1, 0, 1, 1]


def test_a_sample_may_have_no_values_or_an_array() -> None:
    total = of([None, [], np.full((2, 3), 7, np.uint8)])
    assert (total.samples, total.values, total.mean, total.std) == (3, 6, 7, 0)
    nothing = of([None]).summary()
    assert (nothing["samples"], nothing["values"]) == (1, 0)
    assert not {"mean", "std", "min", "max", "histogram"} & set(nothing)


@pytest.mark.parametrize("value", [math.nan, math.inf, [1.0, -math.inf], "x", {"a": 1}])
def test_values_that_are_no_numbers_are_errors(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        empty().add(value)


def test_summary() -> None:
    total = of([1.0, 3.0, 9.0], (0, 4, 2))
    newer = empty((0, 4, 2), "1.1")
    newer.add(3.0)
    total.merge(newer)
    assert total.help == "in 1.1"
    assert total.summary() == {
        "package": "edges",
        "descriptions": {"edges 1.0": "in 1.0", "edges 1.1": "in 1.1"},
        "unit": "m",
        "samples": 4,
        "values": 4,
        "min": 1.0,
        "max": 9.0,
        "mean": 4.0,
        "std": 3.0,
        "histogram": {"low": 0, "high": 4, "counts": [1, 2], "below": 0, "above": 1},
    }
    assert checked_summaries({"edges": total.summary()})


@pytest.mark.parametrize(
    "other",
    [empty((0, 1, 2)), Distribution(Quantity("edges", "px", None), {}), empty(package="other")],
)
def test_different_quantities_of_one_name_are_left_out(other: Distribution) -> None:
    """In whatever order the shards come, and whatever comes after."""
    shards = [Statistics(added={"x": one}) for one in (of([1.0]), other, of([2.0]))]
    for order in itertools.permutations(shards):
        total = Statistics()
        for one in order:
            total.merge(Statistics.from_sums(one.as_sums()))
        assert total.added == {}
        assert total.unmatched == {"x"}
        assert total.added_summary() == {}


def test_pixels_alone_have_the_sums_that_they_had() -> None:
    assert list(Statistics().as_sums()) == ["image", "mask", "depth", "counts"]


BAD_SUMS: list[dict[str, Any]] = [
    {"bins": [1, 0, 3]},
    {"bins": [0, 1, 10**9]},
    {"bins": ["0", 1, 3]},
    {"counts": [1]},
    {"counts": [-1, 0, 0, 0]},
    {"samples": -1},
    {"values": 1.5},
    {"sum": [1, 10**9]},
    {"sum": [1, -2000]},
    {"sum": ["1", 0]},
    {"sum_of_squares": [True, 0]},
    {"min": "low"},
    {"descriptions": 3},
]


@pytest.mark.parametrize("change", BAD_SUMS, ids=str)
def test_sums_from_elsewhere_are_checked(change: dict[str, Any]) -> None:
    sums = of([0.5], (0, 1, 2)).as_sums()
    assert Distribution.from_sums(sums).mean == 0.5
    with pytest.raises((ValueError, TypeError, AttributeError)):
        Distribution.from_sums({**sums, **change})


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("x\x1b[2J", {}),
        ("x", {"unit": "\x1b"}),
        ("x", {"package": "a\nb"}),
        ("x", {"mean": "1"}),
        ("x", {"samples": None}),
        ("x", {"values": -1}),
    ],
)
def test_summaries_from_elsewhere_are_checked(name: str, change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        checked_summaries({name: {**of([1.0]).summary(), **change}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Edge-width"}, "statistic 'Edge-width': the name must be lower-case letters"),
        ({"help": ""}, "statistic x: help must be one line"),
        ({"help": "two\nlines"}, "statistic x: help must be one line"),
        ({"unit": "m\n"}, "unit one word"),
        ({"unit": None}, "unit one word"),
        ({"help": None}, "statistic x: help must be one line"),
        ({"name": 7}, "statistic 7: the name must be lower-case letters"),
        ({"measure": None}, "statistic x: measure=None must be a function"),
        ({"bins": ("a", "b", 3)}, "must be (low, high, number)"),
        ({"bins": (1, 1, 4)}, "bins=(1, 1, 4) must be (low, high, number)"),
        ({"bins": (0, 1, 0)}, "1..1000 bins"),
        ({"bins": (0, math.inf, 3)}, "must be (low, high, number)"),
        ({"bins": [0, 1, 3]}, "must be (low, high, number)"),
        ({"bins": 7}, "must be (low, high, number)"),
    ],
    ids=str,
)
def test_statistics_that_cannot_be_used(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        Statistic(**{"name": "x", "help": "X.", "measure": lambda sample: 1.0, **change})
    assert said in str(error.value)
