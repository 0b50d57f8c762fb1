"""Sines, cosines and angles from additions and products alone.

Those of the C library differ in their last bit from processor to processor.
"""

from __future__ import annotations

import math
from functools import lru_cache

_QUARTER = math.pi / 2
_QUARTER_REST = 6.123233995736766e-17
"""What pi / 2 has beyond float64."""
_TERMS = 18
"""Of the series; those beyond add nothing to float64."""


def sine(angle: float) -> float:
    """The sine of an angle in radians."""
    return _turned(angle)[1]


def cosine(angle: float) -> float:
    """The cosine of an angle in radians."""
    return _turned(angle)[0]


def tangent(angle: float) -> float:
    """The tangent of an angle in radians."""
    across, up = _turned(angle)
    return up / across


@lru_cache(256)
def _turned(angle: float) -> tuple[float, float]:
    """(cosine, sine), by the series of an eighth of a turn at most."""
    quarters = round(angle / _QUARTER)
    rest = (angle - quarters * _QUARTER) - quarters * _QUARTER_REST
    sums, term = [1.0, 0.0, 0.0, 0.0], 1.0
    for number in range(1, _TERMS):
        term *= rest / number
        sums[number % 4] += term
    across, up = sums[0] - sums[2], sums[1] - sums[3]
    return ((across, up), (-up, across), (-across, -up), (up, -across))[quarters % 4]


def bearing(y: float, x: float) -> float:
    """The angle in radians of a point with x > 0, as `math.atan2`."""
    slope = y / x
    # Halved until the series is short: tan(a / 2) = t / (1 + sqrt(1 + t * t)).
    for _ in range(4):
        slope = slope / (1 + math.sqrt(1 + slope * slope))
    square, power, total = slope * slope, slope, 0.0
    for number in range(1, 2 * _TERMS, 2):
        total += power / number
        power *= -square
    return 16 * total
