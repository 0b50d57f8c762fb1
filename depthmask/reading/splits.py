"""The splits of a sequence of samples, by name, with the number of samples in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, SupportsIndex, overload


class Splits(tuple[str, ...]):
    """The names of splits, as a tuple; `splits["val"]` is the number of samples in one.

    `items()` and `dict(splits)` have names and numbers.
    """

    counts: Mapping[str, int]

    def __new__(cls, counts: Mapping[str, int]) -> Splits:
        """counts: name -> number of samples, in order."""
        splits = super().__new__(cls, counts)
        splits.counts = dict(counts)
        return splits

    @overload
    def __getitem__(self, key: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, key: str) -> int: ...
    def __getitem__(self, key: SupportsIndex | slice | str) -> str | tuple[str, ...] | int:
        return self.counts[key] if isinstance(key, str) else super().__getitem__(key)

    def keys(self) -> Iterator[str]:
        """The names, in order."""
        return iter(self)

    def items(self) -> Iterator[tuple[str, int]]:
        """The names, each with its number of samples, in order."""
        return iter(self.counts.items())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.counts,)

    def __repr__(self) -> str:
        return repr(self.counts)
