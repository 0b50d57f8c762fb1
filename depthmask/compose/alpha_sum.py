"""The sum of alpha values."""

from __future__ import annotations

from depthmask.data import UInt8


def byte_sum(values: UInt8) -> int:
    """The sum of uint8 [h, w], computed by OpenCV in an eighth of NumPy's time.

    OpenCV adds bytes as integers; its result is float64, which is exact when rounded.
    """
    import cv2

    return round(cv2.sumElems(values)[0]) if values.size else 0
