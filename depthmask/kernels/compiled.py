"""The compiled kernels, where there are any.

They are C, built with the package: one small file for all versions of Python, no dependency, and no
compilation at the first use, as Numba has it. Where no compiler was at hand, and with
`DEPTHMASK_KERNELS=python`, the fallbacks run, in 1.5 to 14 times the time (150x150 and 400x400
pixels; a room of 160x160 takes 5 times as long). Kernels compute in integers, or in float32 and
float64 with each operation rounded by itself, so that all processors give the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Pixels = TypeVar("Pixels", bound=NDArray[Any])
Floats: TypeAlias = NDArray[np.floating[Any]]
"""float32 or float64."""

SWITCH = "DEPTHMASK_KERNELS"
"""The variable that turns the compiled kernels off, if it is `python`."""
_SOURCES = Path(__file__).parent / "native"


def _native() -> ModuleType | None:
    if os.environ.get(SWITCH) == "python":
        return None
    try:
        module = importlib.import_module("depthmask.kernels._native")
    except ImportError:
        return None
    return module if _is_current(module) else None


def _is_current(module: ModuleType) -> bool:
    """Whether it was compiled from the C files that lie here; an installed package has none.

    A checkout that was updated, and not built again, would have other kernels, or none of a name.
    """
    files = sorted(_SOURCES.glob("*.[ch]"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    return not files or getattr(module, "sources", "") == digest


native = _native()
"""The compiled module; None where the fallbacks run."""


def dense_rows(array: Pixels) -> Pixels:
    """The array, or a copy in which the values of each row lie side by side, as in C.

    array: [h, w] or [h, w, channels].
    """
    steps, itemsize = array.strides, array.itemsize
    # Without slices, since each kernel comes here.
    if steps[-1] == itemsize and (len(steps) == 2 or steps[1] == itemsize * array.shape[2]):
        return array
    return np.ascontiguousarray(array)  # type: ignore[return-value]
