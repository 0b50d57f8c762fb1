"""Masks are those of pycocotools."""

from __future__ import annotations

from pathlib import Path

import made
import numpy as np
import pytest
from depthmask import AssetFolder
from pycocotools import mask as coco_mask

from depthmask_coco._coco_shapes import coco_shape, polygons
from depthmask_coco._polygons import polygon_mask
from depthmask_coco._rle import (
    BadRunLengthsError,
    checked_counts,
    counts_box,
    counts_mask,
    counts_of_text,
)

SIZE = (made.HEIGHT, made.WIDTH)


def test_polygons_are_pixel_for_pixel_those_of_pycocotools() -> None:
    rng = np.random.default_rng(0)
    for number in range(400):
        count = int(rng.integers(3, 30))
        points = rng.uniform(-2, (made.WIDTH + 2, made.HEIGHT + 2), (count, 2))
        if number % 4 == 0:
            points = np.rint(points)
        if number % 5 == 0:
            points = np.repeat(points, 2, axis=0)  # Points that come twice in a row.
        flat = [points.ravel().tolist()]
        assert np.array_equal(polygon_mask(points, SIZE), made.filled(flat)), flat


def test_areas_of_polygons_are_of_what_lies_on_the_photograph(tmp_path: Path) -> None:
    """Thin ones, ones that cross themselves, and ones beyond the border: as many pixels as drawn.

    One that is no fault has a pixel.
    """
    rng, files, usable = np.random.default_rng(3), AssetFolder(tmp_path), 0
    for number in range(600):
        across, down = rng.uniform(-1.9, (made.WIDTH + 1.9, made.HEIGHT + 1.9), (4, 2)).T
        if number % 3 == 0:
            down = down[0] + rng.uniform(0, 2.5, 4)
        if number % 3 == 1:
            across, down = across[[0, 1, 0, 1]], down[[0, 1, 1, 0]]
        corners = np.stack(
            [across.clip(-1.9, made.WIDTH + 1.9), down.clip(-1.9, made.HEIGHT + 1.9)], 1
        )
        shape = coco_shape([corners.ravel().tolist()], SIZE)
        (top, left, bottom, right), area = shape.scaled(SIZE)
        assert 0 <= top <= bottom <= made.HEIGHT
        assert 0 <= left <= right <= made.WIDTH
        pixels = shape.mask(SIZE, files).sum()
        if area != shape.area:
            assert area == pixels
        if not shape.fault(SIZE):
            usable += 1
            assert pixels > 0
    assert 300 < usable < 600


def test_several_polygons_are_their_union(tmp_path: Path) -> None:
    parts = [made.disk(30, 30, 18), made.disk(40, 34, 18), made.star(90, 50, 30)]
    shape = coco_shape(parts, SIZE)
    assert np.array_equal(shape.mask(SIZE, AssetFolder(tmp_path)), made.filled(parts))


def blobs(seed: int, size: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random(size) < rng.choice([0.02, 0.5, 0.98])).astype(np.uint8)


@pytest.mark.parametrize("form", [made.compressed, made.uncompressed])
@pytest.mark.parametrize("size", [(1, 1), (7, 1), (1, 9), (31, 57), (480, 640)])
def test_run_lengths(tmp_path: Path, form: object, size: tuple[int, int]) -> None:
    for seed in range(12):
        mask = blobs(seed, size)
        shape = coco_shape(form(mask), size)  # type: ignore[operator]
        assert np.array_equal(shape.mask(size, AssetFolder(tmp_path)), mask)
        assert shape.area == mask.sum()
        rows, columns = np.nonzero(mask)
        if len(rows):
            box = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
            counts = counts_of_text(made.compressed(mask)["counts"].encode(), size)
            long = any(counts[1::2] > size[0])
            assert counts_box(counts, size) == box or long


def test_a_box_of_runs_through_several_columns() -> None:
    mask = np.zeros((5, 6), np.uint8)
    mask[3:, 2], mask[:, 3], mask[:2, 4] = 1, 1, 1
    counts = counts_of_text(made.compressed(mask)["counts"].encode(), (5, 6))
    assert len(counts) == 3
    assert counts_box(counts, (5, 6)) == (0, 2, 5, 5)
    assert np.array_equal(counts_mask(counts, (5, 6)), mask)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "other characters"),
        (b"\x01", "other characters"),
        (b"P", "end within a count"),
        (b"`" * 40 + b"0", "longer than the photograph|a run is longer"),
        (b"0", "have 0 pixels"),
        (b"oooooO", "a run is shorter than nothing"),
        (b"8", "the runs have 7 or more pixels, and the photograph 6"),
    ],
)
def test_bad_texts(text: bytes, reason: str) -> None:
    with pytest.raises(BadRunLengthsError, match=reason):
        counts_of_text(text, (2, 3))


@pytest.mark.parametrize("counts", [[], [7], [3, -1, 4], [2**40, 2], [1] * 100, [2, 3]])
def test_bad_counts(counts: list[int]) -> None:
    with pytest.raises(BadRunLengthsError):
        checked_counts(np.array(counts, np.int64), (2, 3))


def test_a_polygon_that_would_take_gigabytes_is_refused() -> None:
    zigzag = [0.0, 0.0, 20_000.0, 4_000.0] * 2000
    size = (4_000, 20_000)
    assert "crosses the photograph too often" in coco_shape([zigzag], size).fault(size)
    assert coco_shape([made.disk(3000, 2000, 1900, 5000)], size).fault(size) == ""


def test_pycocotools_agrees_with_the_masks_of_the_tests() -> None:
    """`made.filled` merges as `COCO.annToMask` does."""
    parts = [made.disk(30, 30, 18), made.star(60, 50, 30)]
    merged = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(parts, *SIZE)))
    assert np.array_equal(merged, made.filled(parts))


@pytest.mark.parametrize("seed", range(30))
def test_a_part_is_that_of_the_whole_mask(seed: int) -> None:
    """Also of several polygons, and of those that reach beyond the photograph."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        middle, radius = rng.uniform((10, 10), (118, 86)), rng.uniform(3, 60)
        points = middle + rng.uniform(-radius, radius, (int(rng.integers(3, 20)), 2))
        clipped = np.clip(points, -2, (130, 98))
        # Tenths lie on the edges of the fine grid.
        parts.append(np.round(clipped, 1).ravel().tolist())
    shape, files = polygons(parts, SIZE), AssetFolder(".")
    whole, (top, left, height, width) = shape.mask(SIZE, files), shape.window(SIZE)
    part = shape.part(SIZE, files)
    assert np.array_equal(part, whole[top : top + height, left : left + width])
    assert part.sum() == whole.sum()
