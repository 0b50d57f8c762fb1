"""Sequences of samples: indices, slices, slices of slices."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from depthmask.data import DepthContract, Sample, sample_key
from depthmask.reading.samples import Samples


class Ten(Samples):
    """Samples 0 to 9, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[Sequence[int]] = []

    @property
    def contract(self) -> DepthContract | None:
        return None

    def __len__(self) -> int:
        return 10

    def at(self, numbers: Sequence[int]) -> Iterator[Sample]:
        self.asked.append(numbers)
        nothing = np.zeros((0, 0), np.uint8)
        for number in numbers:
            yield Sample(sample_key(number), nothing, nothing, None, None, {})

    def __repr__(self) -> str:
        return "ten"


def numbers(samples: Sequence[Sample]) -> list[int]:
    return [sample.index for sample in samples]


def test_index() -> None:
    assert [Ten()[index].index for index in (0, 9, -1, -10, np.int64(3))] == [0, 9, 9, 0, 3]


@pytest.mark.parametrize("index", [10, -11])
def test_no_such_sample(index: int) -> None:
    with pytest.raises(IndexError, match=f"^sample {index} is not in ten: it has 10$"):
        Ten()[index]


def test_no_index() -> None:
    with pytest.raises(TypeError):
        Ten()["3"]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "key",
    [slice(2, 5), slice(None), slice(-3, None), slice(None, None, -3), slice(5, 2), slice(8, 99)],
)
def test_slice_is_a_view(key: slice) -> None:
    ten = Ten()
    some = ten[key]
    assert (ten.asked, len(some)) == ([], len(range(10)[key]))
    assert numbers(some) == list(range(10)[key])


def test_slice_of_a_slice() -> None:
    odd = Ten()[1::2]
    assert numbers(odd[-2:]) == [7, 9]
    assert numbers(odd[::-2]) == [9, 5, 1]
    assert odd[-1].index == 9
    with pytest.raises(
        IndexError, match=r"^sample 5 is not in Slice\(ten, range\(1, 10, 2\)\): it has 5$"
    ):
        odd[5]


def test_a_whole_batch_is_asked_for_at_once() -> None:
    ten = Ten()
    assert numbers(ten.__getitems__([3, -1, 3])) == [3, 9, 3]
    assert numbers(ten[5:].__getitems__([0, -1])) == [5, 9]
    assert ten.asked == [[3, 9, 3], [5, 9]]


def test_ranges_stay_ranges() -> None:
    ten = Ten()
    list(ten[2:8][::2])
    assert ten.asked == [range(2, 8, 2)]


def test_pickles() -> None:
    assert numbers(pickle.loads(pickle.dumps(Ten()[::4]))) == [0, 4, 8]
