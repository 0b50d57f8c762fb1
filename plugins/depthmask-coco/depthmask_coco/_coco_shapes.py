"""Segmentations and boxes of COCO files, checked."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate, chain, compress
from math import isfinite, nan
from operator import add, mul
from typing import Any

import numpy as np
from depthmask import Size
from numpy.typing import NDArray

from depthmask_coco._json import shown
from depthmask_coco._rle import (
    BadRunLengthsError,
    checked_counts,
    counts_box,
    counts_of_text,
)
from depthmask_coco._shapes import Box, Polygons, RunLengths, Shape, box_of

_SLACK_PX = 2.0
"""How far shapes and boxes may reach beyond their photograph: programs round, and begin at 1."""
_LEAST_NUMBERS = 6
_MOST_NUMBER = 1e9
_NUMBERS = {int, float}
_SEGMENTATION = "its segmentation"


class BadShapeError(ValueError):
    """Why a shape cannot be used."""


def require_box(box: object, size: Size) -> None:
    """Raise `BadShapeError` for a `bbox` that is none, or lies outside; without one all is well."""
    if box is None:
        return
    if not isinstance(box, list) or len(box) != 4 or not set(map(type, box)) <= _NUMBERS:
        raise BadShapeError(f"its bbox is {shown(box)}; expected four numbers")
    left, top, width, height = box
    # Comparisons with NaN are false.
    is_placed = _is_bounded(left) and _is_bounded(top)
    if not (is_placed and 0 <= width < _MOST_NUMBER and 0 <= height < _MOST_NUMBER):
        raise BadShapeError(f"its bbox is {shown(box)}; expected x, y, width, height of 0 or more")
    _require_inside(Box(top, left, top + height, left + width), size, "its bbox")


def coco_shape(segmentation: object, size: Size, outline: Polygons | None = None) -> Shape:
    """The shape of an object on a photograph of `size`; raises `BadShapeError`.

    outline: its polygons, if `usual_polygons` has made them.
    """
    if outline is not None:
        _require_inside(outline.box, size, _SEGMENTATION)
        return outline
    if isinstance(segmentation, list):
        if not segmentation:
            raise BadShapeError("its segmentation is empty; a cut-out needs one")
        return polygons(segmentation, size)
    if isinstance(segmentation, dict):
        return _run_lengths(segmentation, size)
    if segmentation is None:
        raise BadShapeError("it has no segmentation; a box alone is no cut-out")
    raise BadShapeError(f"its segmentation is {shown(segmentation)}; expected polygons or an RLE")


def polygons(
    parts: Sequence[Any], size: Size, *, slack: float = _SLACK_PX, is_relative: bool = False
) -> Polygons:
    """Polygons on a photograph of `size`; raises `BadShapeError`.

    slack: how far they may reach beyond it. is_relative: of size (1, 1), in shares of it.
    """
    points, ends, count, area = bytearray(), [], 0, 0.0
    boxes = []
    for part in parts:
        _require_polygon(part)
        xs, ys = part[0::2], part[1::2]
        box = box_of(xs, ys)
        # Of the numbers only those at the edges are looked at, and the sums that all are in: for a
        # hundred thousand polygons that takes a second less than to look at each.
        one = _area(xs, ys) if _are_bounded(box) else nan
        if not isfinite(one):
            raise BadShapeError(_bad_polygon(part))
        boxes.append(box)
        area += one
        count += len(xs)
        ends.append(count)
        points += array("d", part).tobytes()
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    box = Box(min(tops), min(lefts), max(bottoms), max(rights))
    _require_inside(box, size, _SEGMENTATION, slack)
    return Polygons(bytes(points), tuple(ends), box, area, is_relative)


def usual_polygons(segmentations: Sequence[object]) -> list[Polygons | None]:
    """The polygons of many segmentations, made together: a fifth of the time.

    They may lie beyond their photographs. None for a segmentation of another kind, and for all if
    any number is at fault: `coco_shape` reads these one by one, and says what is wrong.
    """
    is_usual = list(map(_is_usual, segmentations))
    usual = list(compress(segmentations, is_usual))
    points = _points(usual)
    if points is None:
        return [None] * len(segmentations)
    made = _made_together(usual, points)
    return [next(made) if one else None for one in is_usual]


def _is_usual(segmentation: object) -> bool:
    """Whether it is a list of polygons of as many numbers as expected, whatever these are."""
    return (
        isinstance(segmentation, list)
        and len(segmentation) > 0
        and all(
            isinstance(part, list) and len(part) >= _LEAST_NUMBERS and len(part) % 2 == 0
            for part in segmentation
        )
    )


def _points(segmentations: Sequence[Any]) -> NDArray[np.float64] | None:
    """All points one after another, [n, 2]; None without any, or if any number is at fault."""
    numbers = list(chain.from_iterable(chain.from_iterable(segmentations)))
    if not numbers or not set(map(type, numbers)) <= _NUMBERS:
        return None
    try:
        flat = np.fromiter(numbers, np.float64, len(numbers))
    except OverflowError:
        return None
    return flat.reshape(-1, 2) if (np.abs(flat) < _MOST_NUMBER).all() else None


def _made_together(segmentations: Sequence[Any], points: NDArray[np.float64]) -> Iterator[Polygons]:
    """Yield the polygons of segmentations. points: of all of them."""
    counts = [[len(part) // 2 for part in one] for one in segmentations]
    areas = _sums(_areas(points, list(chain.from_iterable(counts))), list(map(len, counts)))
    last = np.cumsum(list(map(sum, counts)))
    first = np.append(0, last[:-1])
    lows, highs = np.minimum.reduceat(points, first), np.maximum.reduceat(points, first)
    boxes = map(Box._make, np.hstack([lows[:, ::-1], highs[:, ::-1]]).tolist())
    data = points.tobytes()
    slices = map(slice, (16 * first).tolist(), (16 * last).tolist())
    for part, of_parts, box, area in zip(slices, counts, boxes, areas.tolist(), strict=True):
        yield Polygons(data[part], tuple(accumulate(of_parts)), box, area)


def _areas(points: NDArray[np.float64], counts: Sequence[int]) -> NDArray[np.float64]:
    """As `_area`, of polygons one after another, with so many points."""
    last = np.cumsum(counts)
    following = np.arange(1, len(points) + 1)
    following[last - 1] = np.append(0, last[:-1])
    (xs, ys), (next_xs, next_ys) = points.T, points[following].T
    return np.abs(_sums(xs * next_ys, counts) - _sums(ys * next_xs, counts)) / 2


def _sums(values: NDArray[np.float64], counts: Sequence[int]) -> NDArray[Any]:
    """The sums of so many values each, added one by one: other sums of NumPy round otherwise."""
    return np.bincount(np.repeat(np.arange(len(counts)), counts), values)


def _require_polygon(part: object) -> None:
    if not isinstance(part, list) or not set(map(type, part)) <= _NUMBERS:
        raise BadShapeError(f"its segmentation has {shown(part)}; expected lists of numbers")
    if len(part) < _LEAST_NUMBERS or len(part) % 2:
        raise BadShapeError(f"a polygon has {len(part)} numbers; expected x and y of three points")


def _are_bounded(numbers: Sequence[float]) -> bool:
    """Whether none of the numbers is NaN or too large."""
    return all(map(_is_bounded, numbers))


def _is_bounded(number: float) -> bool:
    # Integers of JSON may be too large for a float, but not for a comparison with one.
    return -_MOST_NUMBER < number < _MOST_NUMBER


def _bad_polygon(part: Sequence[float]) -> str:
    """Why a polygon of which a number is NaN or too large cannot be used."""
    bad = next(one for one in part if not _is_bounded(one))
    if type(bad) is float and not isfinite(bad):
        return "a polygon has numbers that are not finite"
    return f"a polygon has the number {shown(bad)}; the most is {_MOST_NUMBER:g}"


def _area(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The area of a polygon, by the shoelace formula."""
    # The same on each Python: since 3.12, `sum` rounds otherwise.
    one = reduce(add, map(mul, xs, [*ys[1:], ys[0]]))
    other = reduce(add, map(mul, ys, [*xs[1:], xs[0]]))
    return abs(one - other) / 2


def _run_lengths(segmentation: Mapping[str, Any], size: Size) -> RunLengths:
    its_size, counts = segmentation.get("size"), segmentation.get("counts")
    if its_size != list(size):
        raise BadShapeError(
            f"its RLE has the size {shown(its_size)}; its photograph is {size[0]}x{size[1]}"
        )
    try:
        runs = _counts(counts, size)
    except BadRunLengthsError as error:
        raise BadShapeError(f"its RLE cannot be used: {error}") from None
    area = float(runs[1::2].sum(dtype=np.int64))
    return RunLengths(runs.tobytes(), size, Box(*map(float, counts_box(runs, size))), area)


def _counts(counts: object, size: Size) -> Any:
    if isinstance(counts, str):
        if not counts.isascii():
            raise BadRunLengthsError("the run lengths have other characters than COCO's")
        return counts_of_text(counts.encode("ascii"), size)
    if not isinstance(counts, list) or not set(map(type, counts)) <= {int}:
        raise BadRunLengthsError(
            f"its counts are {shown(counts)}; expected a text or whole numbers"
        )
    if len(counts) > size[0] * size[1] + 1:
        raise BadRunLengthsError("the run lengths are longer than the photograph")
    try:
        return checked_counts(np.array(counts, np.int64), size)
    except OverflowError:
        raise BadRunLengthsError("a run is longer than the photograph") from None


def _require_inside(box: Box, size: Size, what: str, slack: float = _SLACK_PX) -> None:
    """Raise `BadShapeError` for a box that reaches further beyond its photograph than `slack`."""
    (height, width), (top, left, bottom, right) = size, box
    beyond = max(-top, -left, bottom - height, right - width)
    if beyond > slack:
        raise BadShapeError(
            f"{what} reaches {beyond:.6g} pixels beyond its photograph, which is {height}x{width}"
        )
