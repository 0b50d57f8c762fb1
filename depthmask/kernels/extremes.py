"""The lesser and the greater of two values, as the compiled kernels take them.

NumPy's `minimum`, `maximum` and `clip` pass NaN on, and zeros of either sign as a processor likes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from depthmask.kernels.compiled import Floats


def lesser(x: Any, y: Any) -> Floats:
    """The first where it is less, else the second."""
    return np.where(x < y, x, y)


def greater(x: Any, y: Any) -> Floats:
    """The first where it is greater, else the second."""
    return np.where(x > y, x, y)


def within(values: Any, most: float = 1.0) -> Floats:
    """The values, moved to 0..most; NaN becomes 0."""
    kind = values.dtype.type
    return lesser(greater(values, kind(0)), kind(most))
