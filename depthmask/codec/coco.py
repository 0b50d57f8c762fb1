"""Masks in the format of COCO: https://cocodataset.org/#format-data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Run lengths of a mask [h, w] in column-major order, starting with a run of False.

    COCO's "uncompressed RLE"; `pycocotools` reads it as `segmentation.counts`.
    """
    pixels = mask.T.ravel()
    ends = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    lengths: list[int] = np.diff(ends, prepend=0, append=pixels.size).tolist()
    return [0, *lengths] if pixels.size and pixels[0] else lengths


def instance_label(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """The visible area of a layer, its box [top, left, height, width], and its run lengths."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return {"area": 0}
    top, left = int(rows[0]), int(columns[0])
    return {
        "area": int(np.count_nonzero(mask)),
        "visible_box": [top, left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1],
        "counts": run_lengths(mask),
    }
