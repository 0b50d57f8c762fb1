"""What written and virtual datasets, and slices of both, have in common: a sequence of samples."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import SupportsIndex, overload

from depthmask.data import DepthContract, Sample


class Samples(Sequence[Sample]):
    """Samples by number: `len`, index, negative index, slice, iteration.

    A slice is a view, and makes or reads nothing by itself.
    """

    @property
    @abstractmethod
    def contract(self) -> DepthContract | None:
        """What the depth values mean, None if there are none."""

    @abstractmethod
    def at(self, numbers: Sequence[int]) -> Iterator[Sample]:
        """The samples of these numbers, all of 0..len-1, one after another."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Samples: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Sample | Samples:
        if isinstance(index, slice):
            return Slice(self, range(len(self))[index])
        (sample,) = self.at((self.number(index),))
        return sample

    def __getitems__(self, indices: Sequence[SupportsIndex]) -> list[Sample]:
        """Many at once, in the order asked for; PyTorch's loaders call this for a batch."""
        return list(self.at([self.number(index) for index in indices]))

    def __iter__(self) -> Iterator[Sample]:
        return self.at(range(len(self)))

    def number(self, index: SupportsIndex) -> int:
        """0..len-1 for an index that may be negative; IndexError if there is no such sample."""
        given, samples = operator.index(index), len(self)
        number = given + samples if given < 0 else given
        if not 0 <= number < samples:
            raise IndexError(f"sample {given} is not in {self!r}: it has {samples}")
        return number


class Slice(Samples):
    """Some samples of a sequence, numbered from 0."""

    def __init__(self, of: Samples, numbers: range) -> None:
        self._of = of
        self._numbers = numbers

    @property
    def contract(self) -> DepthContract | None:
        """That of the whole."""
        return self._of.contract

    def __len__(self) -> int:
        return len(self._numbers)

    def at(self, numbers: Sequence[int]) -> Iterator[Sample]:
        """Of the whole, by their numbers there."""
        if isinstance(numbers, range):
            return self._of.at(_through(self._numbers, numbers))
        return self._of.at([self._numbers[number] for number in numbers])

    def __repr__(self) -> str:
        return f"Slice({self._of!r}, {self._numbers!r})"


def _through(outer: range, inner: range) -> range:
    """`[outer[number] for number in inner]`, as a range."""
    first, step = outer.start + inner.start * outer.step, outer.step * inner.step
    return range(first, first + len(inner) * step, step)
