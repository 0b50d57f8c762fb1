"""Masks in the format of COCO: https://cocodataset.org/#format-data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Size
from depthmask.kernels.runs import mask_runs


def instance_label(mask: NDArray[np.bool_], top: int, left: int, size: Size) -> dict[str, Any]:
    """The visible area of a layer, its box [top, left, height, width], and its run lengths.

    mask: bool [h, w], at (top, left) on a canvas of `size`. The run lengths are those of the canvas
    in column-major order, starting with a run of False: COCO's "uncompressed RLE", which
    `pycocotools` reads as `segmentation.counts`.
    """
    runs = mask_runs(mask, top, left, size)
    if not runs.area:
        return {"area": 0}
    return {"area": runs.area, "visible_box": runs.box, "counts": runs.lengths}
