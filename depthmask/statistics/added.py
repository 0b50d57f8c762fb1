"""Statistics that plugins add: exact sums of their values, the same in whatever order they come."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Sample
from depthmask.errors import UsageError

Values: TypeAlias = float | Sequence[float] | NDArray[Any] | None
"""What a statistic measures in one sample: a number, several, or None."""
Bins: TypeAlias = tuple[float, float, int]
"""The low end, the high end and the number of the bins of a histogram, all equally wide."""
MOST_BINS = 1000
_NAME = re.compile("[a-z][a-z0-9_]*")
_UNIT = -1074
"""Every float64 is a multiple of 2**-1074, so sums of such multiples are exact integers."""
_MOST_BITS = 1 << 13
"""More than the sum of squares of a trillion float64 has, in their unit."""
_MOMENTS = ("mean", "std", "min", "max")
_ROUNDING = 1e-6
"""Added to the bin number, since 0.29 / 0.01 is slightly less than 29 but belongs to bin 29."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic that a plugin adds: a number, or several, from each sample.

    name: of lower-case letters, digits and _. help: one line. measure: called in the workers with
    each finished sample before it is encoded; returns a number, several, or None if the sample has
    none. The result must depend on the sample alone. unit: of the values, such as `m`. bins: (low,
    high, number) of a histogram, or None. Raises `UsageError` for a field that cannot be used.
    """

    name: str
    help: str
    measure: Callable[[Sample], Values]
    unit: str = ""
    bins: Bins | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise UsageError(
                f"statistic {self.name!r}: the name must be lower-case letters, digits and _"
            )
        are_texts = isinstance(self.help, str) and isinstance(self.unit, str)
        if not are_texts or not self.help or not f"{self.help}{self.unit}".isprintable():
            raise UsageError(f"statistic {self.name}: help must be one line, and unit one word")
        if not callable(self.measure):
            raise UsageError(f"statistic {self.name}: measure={self.measure!r} must be a function")
        is_triple = isinstance(self.bins, tuple) and len(self.bins) == 3
        if self.bins is not None and not (is_triple and _is_usable(self.bins)):
            raise UsageError(
                f"statistic {self.name}: bins={self.bins!r} must be (low, high, number), with "
                f"low < high and 1..{MOST_BINS} bins"
            )


def _is_usable(bins: Any) -> bool:
    """Whether these are bins; they may come from a file."""
    low, high, number = bins
    if not {type(low), type(high)} <= {int, float} or type(number) is not int:
        return False
    return low < high and math.isfinite(high - low) and 0 < number <= MOST_BINS


@dataclass(frozen=True, slots=True)
class Quantity:
    """What values must have in common to be added: the package that measured them, unit, bins."""

    package: str
    unit: str
    bins: Bins | None


@dataclass
class Distribution:
    """The values of a statistic over many samples.

    descriptions: package with version -> help, of each version that measured some of the samples.
    samples: the samples that were measured. values: their values. total, squares: the sum of the
    values in 2**-1074, and of their squares in 2**-2148. least, greatest: the extreme values.
    counts: the number of values below the bins, in each bin and above them; empty without bins.
    """

    quantity: Quantity
    descriptions: dict[str, str]
    samples: int = 0
    values: int = 0
    total: int = 0
    squares: int = 0
    least: float = math.inf
    greatest: float = -math.inf
    counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.quantity.bins is not None and not self.counts:
            self.counts = [0] * (self.quantity.bins[2] + 2)

    def add(self, values: Values) -> None:
        """Add the values of one sample; `ValueError` if one is not finite.

        Takes a microsecond for each distinct value.
        """
        array = np.asarray([] if values is None else values, np.float64)
        # Adding 0 turns -0 into 0: which of them is the minimum would depend on their order.
        distinct, counts = np.unique(array + 0.0, return_counts=True)
        if not np.isfinite(distinct).all():
            raise ValueError("a value is not finite")
        self.samples += 1
        self.values += array.size
        for value, count in zip(distinct.tolist(), counts.tolist(), strict=True):
            # The denominator is a power of two, 2**1074 at most.
            numerator, denominator = value.as_integer_ratio()
            shift = 1 - _UNIT - denominator.bit_length()
            self.total += count * numerator << shift
            self.squares += count * numerator * numerator << 2 * shift
        if array.size:
            self.least = min(self.least, float(distinct[0]))
            self.greatest = max(self.greatest, float(distinct[-1]))
        if self.quantity.bins is not None:
            positions = _bin_numbers(distinct, self.quantity.bins) + 1
            for position, count in zip(positions.tolist(), counts.tolist(), strict=True):
                self.counts[position] += count

    def merge(self, other: Distribution) -> None:
        """Add the values of other samples, of the same quantity."""
        self.descriptions = {**self.descriptions, **other.descriptions}
        self.samples += other.samples
        self.values += other.values
        self.total += other.total
        self.squares += other.squares
        self.least = min(self.least, other.least)
        self.greatest = max(self.greatest, other.greatest)
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]

    @property
    def help(self) -> str:
        """The help of the last version, in the order of their texts."""
        return self.descriptions[max(self.descriptions)]

    @property
    def mean(self) -> float:
        """The mean of the values, correctly rounded; there must be one."""
        return float(Fraction(self.total, self.values << -_UNIT))

    @property
    def std(self) -> float:
        """The population standard deviation of the values; there must be one."""
        # In integers up to the root, so that nothing cancels or overflows; 64 bits more than needed
        # for the root's whole part.
        variance = self.squares * self.values - self.total * self.total
        return float(Fraction(math.isqrt(variance << 128), self.values << (64 - _UNIT)))

    def as_sums(self) -> dict[str, Any]:
        """The exact sums as JSON values, for a record."""
        return {
            **self._facts(),
            "bins": self.quantity.bins,
            "sum": _shortened(self.total, _UNIT),
            "sum_of_squares": _shortened(self.squares, 2 * _UNIT),
            "counts": self.counts,
        }

    @classmethod
    def from_sums(cls, data: dict[str, Any]) -> Distribution:
        """Read the result of `as_sums`; raises for anything else. Call in `untrusted`."""
        bins = data["bins"]
        if bins is not None and not _is_usable(bins):
            raise ValueError("bins that no statistic can have")
        read = cls(
            Quantity(str(data["package"]), str(data["unit"]), bins and tuple(bins)),
            {str(package): str(text) for package, text in data["descriptions"].items()},
            samples=_count(data["samples"]),
            values=_count(data["values"]),
            total=_expanded(data["sum"], _UNIT),
            squares=_expanded(data["sum_of_squares"], 2 * _UNIT),
            counts=[_count(count) for count in data["counts"]],
        )
        if read.values:
            read.least, read.greatest = float(data["min"]), float(data["max"])
        if len(read.counts) != (bins[2] + 2 if bins else 0):
            raise ValueError("counts that do not fit the bins")
        return read

    def summary(self) -> dict[str, Any]:
        """Mean, std, extreme values and histogram as JSON values, for `dataset.json`."""
        moments = {"mean": self.mean, "std": self.std} if self.values else {}
        histogram = {"histogram": self._histogram()} if self.counts else {}
        return {**self._facts(), **moments, **histogram}

    def _facts(self) -> dict[str, Any]:
        return {
            "package": self.quantity.package,
            "descriptions": dict(sorted(self.descriptions.items())),
            "unit": self.quantity.unit,
            "samples": self.samples,
            "values": self.values,
            **({"min": self.least, "max": self.greatest} if self.values else {}),
        }

    def _histogram(self) -> dict[str, Any]:
        assert self.quantity.bins is not None, "there are counts"
        low, high, _ = self.quantity.bins
        below, *counts, above = self.counts
        return {"low": low, "high": high, "counts": counts, "below": below, "above": above}


def checked_summaries(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return name -> `Distribution.summary`, from a file; raises for what no run has written."""
    for name, summary in data.items():
        texts = summary["unit"] + summary["package"]
        if not _NAME.fullmatch(name) or not texts.isprintable():
            raise ValueError("the name, unit or package of a statistic")
        _count(summary["samples"])
        moments = _MOMENTS if _count(summary["values"]) else ()
        if not {type(summary[moment]) for moment in moments} <= {int, float}:
            raise ValueError("statistics that are not numbers")
    return data


def _bin_numbers(values: NDArray[np.float64], bins: Bins) -> NDArray[np.int64]:
    """The number of the bin of each value: -1 below `low`, the number of bins above `high`."""
    low, high, number = bins
    positions = (np.clip(values, low, high) - low) / (high - low) * number + _ROUNDING
    inside = np.minimum(positions.astype(np.int64), number - 1)
    return np.where(values < low, -1, np.where(values > high, number, inside))


def _shortened(total: int, unit: int) -> list[int]:
    """(integer, power of two) of a sum in 2**unit, without zero bits at the end."""
    zeros = (total & -total).bit_length() - 1 if total else -unit
    return [total >> zeros, unit + zeros]


def _expanded(data: Any, unit: int) -> int:
    """The sum in 2**unit; `ValueError` if it has more bits than any sum."""
    integer, power = data
    if type(integer) is not int or type(power) is not int or not 0 <= power - unit <= _MOST_BITS:
        raise ValueError("a sum that no statistic can have")
    return integer << (power - unit)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value
