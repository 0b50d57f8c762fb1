"""Fills unknown pixels from the nearest known ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def nearest_valid(values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """Give each pixel the value of the nearest known pixel; all zeros if no pixel is known.

    values: [h, w] or [h, w, c]. known: bool [h, w].
    """
    import cv2

    if not known.any():
        return np.zeros_like(values)
    # The label of a pixel identifies the nearest known pixel.
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    by_label = np.zeros((int(labels.max()) + 1, *values.shape[2:]), values.dtype)
    by_label[labels[known]] = values[known]
    return by_label[labels]
