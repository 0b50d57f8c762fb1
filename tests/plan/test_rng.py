"""Random numbers by seed, purpose and sample number."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthmask.plan.rng import Stream

GOLDEN = [[0.046167674784884816, 0.3559319095624337], [0.9989190395230537, 0.2700558942034873]]
SPAWNED = [0.5130659650340865, 0.47175434844935693, 0.7434774059607078]
INDEX = st.integers(0, 2**63)


def test_first_numbers_are_pinned() -> None:
    # A change here changes every dataset that was ever made: it needs a new major version.
    stream = Stream(0, "plan")
    assert stream.at(0).random(2).tolist() == GOLDEN[0]
    assert stream.at(10**9).random(2).tolist() == GOLDEN[1]


@given(seed=st.integers(0, 2**80), index=INDEX, other=INDEX)
def test_numbers_do_not_depend_on_what_was_drawn_before(seed: int, index: int, other: int) -> None:
    fresh = Stream(seed, "plan").at(index).random(5)
    used = Stream(seed, "plan")
    # 3 x 32 bits leave half a draw in the generator's buffer.
    used.at(other).integers(0, 2**32, 3, dtype=np.uint32)
    assert np.array_equal(used.at(index).random(5), fresh)


@given(index=INDEX)
def test_a_new_generator_at_the_same_counter_agrees(index: int) -> None:
    stream = Stream(7, "placement")
    key = stream.at(0).bit_generator.state["state"]["key"]
    new = np.random.Generator(np.random.Philox(key=key, counter=[0, 0, index, 0]))
    assert np.array_equal(stream.at(index).random(9), new.random(9))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("0", "plan", 0), ("0", "plan", 1)),
        (("0", "plan", 0), ("1", "plan", 0)),
        (("0", "plan", 0), ("0", "placement", 0)),
        (("1", "1/plan", 0), ("11", "/plan", 0)),
    ],
)
def test_seed_station_and_sample_all_count(
    one: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    first, second = (
        Stream(int(seed), purpose).at(index).random(4) for seed, purpose, index in (one, other)
    )
    assert not np.any(first == second)


def test_streams_of_neighbours_do_not_overlap() -> None:
    stream = Stream(3, "placement")
    draws = np.concatenate([stream.at(index).random(200) for index in range(50)])
    assert len(np.unique(draws)) == draws.size


@given(
    start=INDEX,
    rows=st.sampled_from([0, 1, 99, 100, 131]),
    count=st.integers(1, 13),
    seed=st.integers(0, 9),
)
def test_rows_are_what_numpy_draws_one_by_one(start: int, rows: int, count: int, seed: int) -> None:
    stream = Stream(seed, "plan")
    found = stream.rows(range(start, start + rows), count)
    one_by_one = [stream.at(start + row).random(count) for row in range(rows)]
    assert np.array_equal(found, np.array(one_by_one))


# Spawned generators


def family(stream: Stream, index: int, attempt: int = 0) -> list[float]:
    """The first numbers of a sample's children, of later ones, of a grandchild, and its own."""
    rng = stream.at(index, attempt)
    first, second = rng.spawn(2)
    (third,) = rng.spawn(1)
    (grandchild,) = first.spawn(1)
    return [one.random() for one in (first, second, third, grandchild, rng)]


def test_first_numbers_of_spawned_generators_are_pinned() -> None:
    # As those of the generator itself: a change here changes datasets.
    assert family(Stream(0, "plan"), 3)[:3] == SPAWNED
    assert family(Stream(0, "plan"), 2**40 + 3)[:3] != SPAWNED


@given(seed=st.integers(0, 2**80), index=INDEX, other=INDEX, attempt=st.integers(0, 30))
def test_spawned_generators_depend_on_the_sample_alone(
    seed: int, index: int, other: int, attempt: int
) -> None:
    fresh = family(Stream(seed, "placement"), index, attempt)
    used = Stream(seed, "placement")
    used.at(other).spawn(3)
    assert family(used, index, attempt) == fresh
    assert family(used, index, attempt) == fresh


@given(index=INDEX)
def test_no_two_generators_of_a_stream_have_the_same_numbers(index: int) -> None:
    stream, other = Stream(1, "placement"), Stream(1, "arrangement")
    numbers = [
        *family(stream, index),
        *family(stream, index, 1),
        *family(stream, index + 1),
        *family(other, index),
    ]
    assert len(set(numbers)) == len(numbers)


def test_a_grandchild_of_a_small_index_is_no_child_of_a_large_one() -> None:
    stream = Stream(1, "placement")
    (grandchild,) = stream.at(5, 7).spawn(1)[0].spawn(1)
    # The same words, if numbers were written without leading zeros.
    others = [stream.at(5 + (7 << 32), attempt).spawn(1)[0] for attempt in range(3)]
    assert grandchild.random() not in [one.random() for one in others]


@given(index=INDEX)
def test_spawning_draws_no_numbers(index: int) -> None:
    stream = Stream(2, "placement")
    numbers = stream.at(index).random(6)
    rng = stream.at(index)
    before = rng.random(3)
    rng.spawn(4)
    assert np.array_equal([*before, *rng.random(3)], numbers)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda rng: pickle.loads(pickle.dumps(rng))])
def test_a_copy_goes_on_as_the_original_would(
    copied: Callable[[np.random.Generator], np.random.Generator],
) -> None:
    def rest(rng: np.random.Generator) -> list[float]:
        return [rng.random(), rng.spawn(1)[0].random()]

    stream = Stream(3, "placement")
    rng = stream.at(4)
    rng.random(), rng.spawn(1)
    kept = copied(rng)
    expected = rest(rng)
    # A copy belongs to its sample, wherever the stream is now.
    stream.at(9).spawn(2)
    assert rest(kept) == expected


def test_other_bit_generators_may_take_its_seeds() -> None:
    stream = Stream(4, "placement")

    def number(index: int) -> float:
        seeds = stream.at(index).bit_generator.seed_seq
        # NumPy takes any `ISeedSequence`, but its types do not say so.
        return np.random.Generator(np.random.PCG64(seeds)).random()  # type: ignore[arg-type]

    assert number(0) == number(0)
    assert number(0) != number(1)


def test_poisson_disks_of_scipy() -> None:
    qmc = pytest.importorskip("scipy.stats.qmc")
    stream = Stream(5, "arrangement")
    points = [qmc.PoissonDisk(2, radius=0.2, rng=stream.at(index)).random(5) for index in (0, 1, 0)]
    assert np.array_equal(points[0], points[2])
    assert not np.array_equal(points[0], points[1])
