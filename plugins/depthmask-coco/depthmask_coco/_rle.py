"""COCO's run lengths: decoded, checked against the size of the photograph before memory is taken.

Own code, since pycocotools trusts the counts, which may ask for any memory.
"""

from __future__ import annotations

import numpy as np
from depthmask import Size, UInt8
from numpy.typing import NDArray

_MOST_CHARACTERS = 6
"""Characters of five bits for one count: more than the 27 bits of 100 million pixels need."""


class BadRunLengthsError(ValueError):
    """The reason why run lengths cannot be used."""


def counts_of_text(text: bytes, size: Size) -> NDArray[np.uint32]:
    """The counts in a compressed text, five bits a character, differences to the count before last.

    Raises `BadRunLengthsError` for a text that is damaged, or does not fill the size.
    """
    height, width = size
    # Each character but the last of a count continues it.
    if len(text) > (height * width + 1) * _MOST_CHARACTERS:
        raise BadRunLengthsError("the run lengths are longer than the photograph")
    codes = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    if not len(codes) or codes.min() < 0 or codes.max() > 63:
        raise BadRunLengthsError("the run lengths have other characters than COCO's")
    is_last = (codes & 32) == 0
    if not is_last[-1]:
        raise BadRunLengthsError("the run lengths end within a count")
    ends = np.flatnonzero(is_last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _MOST_CHARACTERS:
        raise BadRunLengthsError("a run is longer than the photograph")
    shifts = 5 * (np.arange(len(codes)) - np.repeat(starts, lengths))
    values = np.add.reduceat((codes & 31) << shifts, starts)
    values -= ((codes[ends] & 16) != 0) * (np.int64(1) << (5 * lengths))
    # The third count and all after it are differences to the count before last.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return checked_counts(values, size)


def checked_counts(counts: NDArray[np.int64], size: Size) -> NDArray[np.uint32]:
    """Counts that fill the size exactly; raises `BadRunLengthsError` for others."""
    pixels = size[0] * size[1]
    if not len(counts) or counts.min() < 0:
        raise BadRunLengthsError("a run is shorter than nothing" if len(counts) else "no runs")
    if counts.max() > pixels or len(counts) > pixels + 1 or int(counts.sum()) != pixels:
        total = int(np.minimum(counts, pixels + 1).sum())
        raise BadRunLengthsError(
            f"the runs have {total:,}{' or more' if counts.max() > pixels else ''} pixels, and the "
            f"photograph {pixels:,}"
        )
    return counts.astype(np.uint32)


def counts_mask(counts: NDArray[np.uint32], size: Size) -> UInt8:
    """uint8 [h, w] of counts that fill it."""
    height, width = size
    values = np.repeat((np.arange(len(counts)) & 1).astype(np.uint8), counts)
    return np.ascontiguousarray(values.reshape(width, height).T)


def counts_box(counts: NDArray[np.uint32], size: Size) -> tuple[int, int, int, int]:
    """top, left, bottom, right of the pixels with 1; all 0 if there are none."""
    height = size[0]
    ends = np.cumsum(counts, dtype=np.int64)[1::2]
    lengths = counts[1::2].astype(np.int64)
    starts, ends = (ends - lengths)[lengths > 0], ends[lengths > 0]
    if not len(starts):
        return 0, 0, 0, 0
    first, last = starts // height, (ends - 1) // height
    # A run through several columns reaches both of their ends.
    is_long = bool((first != last).any())
    top = 0 if is_long else int((starts % height).min())
    bottom = height if is_long else int(((ends - 1) % height).max()) + 1
    return top, int(first.min()), bottom, int(last.max()) + 1
