"""The base class of sequences of samples: written datasets, virtual datasets, and slices."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import SupportsIndex, overload

from depthmask.data import DepthContract, Sample


class Samples(Sequence[Sample]):
    """A sequence of samples with `len`, index, negative index, slice and iteration.

    A slice is a view: it neither makes nor reads samples by itself.
    """

    @property
    @abstractmethod
    def contract(self) -> DepthContract | None:
        """What the depth values mean; None without depth."""

    @abstractmethod
    def at(self, numbers: Sequence[int]) -> Iterator[Sample]:
        """Yield the samples with these numbers, which must be in 0..len-1, in order."""

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
        """Return several samples in the order of the indices; PyTorch's loaders call this."""
        return list(self.at([self.number(index) for index in indices]))

    def __iter__(self) -> Iterator[Sample]:
        return self.at(range(len(self)))

    def number(self, index: SupportsIndex) -> int:
        """Return 0..len-1 for an index that may be negative; IndexError if it is out of range."""
        signed, samples = operator.index(index), len(self)
        number = signed + samples if signed < 0 else signed
        if not 0 <= number < samples:
            raise IndexError(f"sample {signed} is not in {self!r}: it has {samples}")
        return number


class Slice(Samples):
    """A view of some samples of a sequence, numbered from 0."""

    def __init__(self, samples: Samples, numbers: range) -> None:
        self._samples = samples
        self._numbers = numbers

    @property
    def contract(self) -> DepthContract | None:
        """What the depth values mean; None without depth."""
        return self._samples.contract

    def __len__(self) -> int:
        return len(self._numbers)

    def at(self, numbers: Sequence[int]) -> Iterator[Sample]:
        """Yield the samples with these numbers of the slice."""
        if isinstance(numbers, range):
            return self._samples.at(_subrange(self._numbers, numbers))
        return self._samples.at([self._numbers[number] for number in numbers])

    def __repr__(self) -> str:
        return f"Slice({self._samples!r}, {self._numbers!r})"


def _subrange(outer: range, inner: range) -> range:
    """Return `[outer[number] for number in inner]` as a range."""
    first, step = outer.start + inner.start * outer.step, outer.step * inner.step
    return range(first, first + len(inner) * step, step)
