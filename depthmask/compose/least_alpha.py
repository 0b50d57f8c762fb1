"""The alpha from which on a pixel belongs to a layer."""

from __future__ import annotations

import numpy as np

from depthmask.data import FAINT_ALPHA, UInt8


def least_alpha(alpha: UInt8) -> int:
    """Half of the median of a layer's alpha uint8 [h, w], above `FAINT_ALPHA`; 128 if it is opaque.

    Half of 255 is the usual rule for opaque objects. By that rule, glass of alpha 120 and a wire
    thinner than a pixel would belong to nobody, although they can be seen.
    """
    import cv2

    # In a tenth of the time of NumPy's `bincount`.
    counts = cv2.calcHist([alpha], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    counts[: FAINT_ALPHA + 1] = 0
    total = np.cumsum(counts)
    if not total[-1]:
        return 128
    median = int(np.searchsorted(total, total[-1] // 2, side="right"))
    return (median + 1) // 2
