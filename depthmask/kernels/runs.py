"""Run lengths of masks."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Size
from depthmask.kernels.compiled import dense_rows, native

Mask: TypeAlias = NDArray[np.bool_]


class MaskRuns(NamedTuple):
    """A mask on a canvas: its pixels, its box [top, left, height, width], and its runs.

    lengths: of the runs of the canvas in column-major order, the first one of False, perhaps 0. The
    box of an empty mask means nothing.
    """

    area: int
    box: list[int]
    lengths: list[int]


def mask_runs(mask: Mask, top: int, left: int, size: Size) -> MaskRuns:
    """The runs of a mask, bool [h, w], that lies at (top, left) on a canvas of `size`."""
    if native is None:
        return _mask_runs(mask, top, left, size)
    area, (first_row, stop_row, first_column, stop_column), lengths = native.mask_runs(
        dense_rows(mask), top, left, *size
    )
    box = [top + first_row, left + first_column, stop_row - first_row, stop_column - first_column]
    return MaskRuns(area, box, lengths)


def _mask_runs(mask: Mask, top: int, left: int, size: Size) -> MaskRuns:
    canvas = np.zeros(size, bool)
    canvas[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    rows, columns = np.flatnonzero(canvas.any(axis=1)), np.flatnonzero(canvas.any(axis=0))
    box = [0, 0, 0, 0]
    if len(rows):
        box = [int(one) for one in (rows[0], columns[0], np.ptp(rows) + 1, np.ptp(columns) + 1)]
    return MaskRuns(int(np.count_nonzero(mask)), box, _run_lengths(canvas))


def _run_lengths(canvas: Mask) -> list[int]:
    pixels = canvas.T.ravel()
    ends = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    lengths: list[int] = np.diff(ends, prepend=0, append=pixels.size).tolist()
    return [0, *lengths] if pixels.size and pixels[0] else lengths
