"""The labels of a sample as pictures for the gallery."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Sample, UInt8

_MOST_PICTURES = 4
"""The most labels of a sample in the gallery, since each makes the page larger."""
_MOST_NUMBERS = 64
"""A map with values below this shows numbers, such as those of instances."""
_GOLDEN = 0.61803398875
"""Hues this far apart differ, however many there are."""


def label_pictures(sample: Sample) -> Iterator[tuple[str, UInt8]]:
    """Yield (name, uint8 [h, w] or [h, w, 3]) of the first labels that are pictures or maps."""
    pictures = ((name, as_picture(value)) for name, value in sorted(sample.labels.items()))
    shown = [(name, picture) for name, picture in pictures if picture is not None]
    yield from shown[:_MOST_PICTURES]


def as_picture(value: Any) -> UInt8 | None:
    """The values of a label as a picture; None if they are no picture and no map.

    RGB and grey levels stay as they are. Small whole numbers get a colour each, 0 is black. Other
    values [h, w] are grey, from their least to their greatest finite value.
    """
    if not isinstance(value, np.ndarray) or value.size == 0:
        return None
    if value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3:
        return value
    if value.ndim != 2 or value.dtype.kind not in "uif":
        return None
    if value.dtype.kind == "u" and value.max() < _MOST_NUMBERS:
        return np.asarray(_PALETTE[value])
    return value if value.dtype == np.uint8 else _stretched(value)


def _stretched(values: NDArray[Any]) -> UInt8:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(values.shape, np.uint8)
    least, span = float(finite.min()), float(finite.max() - finite.min()) or 1.0
    grey = np.nan_to_num(255 * (values.astype(np.float64) - least) / span, posinf=255, neginf=0)
    return np.clip(grey, 0, 255).astype(np.uint8)


def _palette() -> UInt8:
    colours = [
        colorsys.hsv_to_rgb(number * _GOLDEN % 1, 0.6, 0.95) for number in range(_MOST_NUMBERS)
    ]
    levels = np.rint(255 * np.array(colours)).astype(np.uint8)
    levels[0] = 0
    return levels


_PALETTE = _palette()
