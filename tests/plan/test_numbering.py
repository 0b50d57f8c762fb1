"""Sample number <-> split and rank."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthmask.plan.numbering import Numbering
from depthmask.plan.shares import MILLION

TEN = Numbering((("train", 800_000), ("val", 100_000), ("test", 100_000)))


def test_the_first_numbers_of_eight_one_one() -> None:
    # Written by hand: scene r of a split stands at (2r + 1) / share; of two at one place the
    # earlier split comes first, so val (at 5) is before test, and both after train's fourth (4.4).
    expected = ["train"] * 4 + ["val", "test"] + ["train"] * 4
    assert [TEN.at(index)[0] for index in range(20)] == expected * 2


def test_one_split_has_the_sample_numbers() -> None:
    whole = Numbering((("train", MILLION),))
    assert whole.at(777) == ("train", 777)
    assert whole.index("train", 777) == 777
    assert whole.count("train", 778) == 778
    assert whole.indices("train", 5, 8) == range(5, 8)


@st.composite
def numberings(draw: st.DrawFn) -> Numbering:
    first = draw(st.integers(1, MILLION - 2))
    second = draw(st.integers(1, MILLION - first - 1))
    shares = (("train", first), ("val", second), ("test", MILLION - first - second))
    return Numbering(shares, draw(st.integers(1, 4)))


@given(numberings(), st.integers(0, 400))
def test_numbers_splits_and_counts_agree(some: Numbering, samples: int) -> None:
    found = [some.at(index) for index in range(samples)]
    counts: Counter[str] = Counter()
    for index, (split, rank) in enumerate(found):
        # Ranks rise one by one, so there is neither a gap nor a double.
        assert rank == counts[split]
        counts[split] += 1
        assert some.index(split, rank) == index
    for split in some.names:
        assert some.count(split, samples) == counts[split]
        own = [index for index, (name, _) in enumerate(found) if name == split]
        assert list(some.indices(split, 0, len(own))) == own


@given(numberings(), st.integers(0, 10**12))
def test_far_numbers_come_back(some: Numbering, index: int) -> None:
    split, rank = some.at(index)
    assert some.index(split, rank) == index
    assert some.count(split, index) == rank


@given(numberings(), st.integers(0, 5000))
def test_each_split_has_its_share_of_any_beginning(some: Numbering, scenes: int) -> None:
    for name, share in some.shares:
        wanted = Fraction(scenes * share, MILLION)
        assert abs(some.count(name, scenes * some.variants) - wanted * some.variants) <= (
            2 * some.variants
        )


def test_variants_of_a_scene_stay_together() -> None:
    some = Numbering(TEN.shares, variants=3)
    for scene in range(50):
        assert {some.at(3 * scene + variant)[0] for variant in range(3)} == {TEN.at(scene)[0]}


@pytest.mark.parametrize("samples", [0, 1, 4, 5])
def test_a_scene_that_is_cut_off_counts_in_part(samples: int) -> None:
    some = Numbering((("train", 500_000), ("val", 500_000)), variants=3)
    assert (some.count("train", samples), some.count("val", samples)) == (
        min(samples, 3),
        max(0, samples - 3),
    )
