"""Exact sums, and what follows from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthmask.data import Sample, Size
from depthmask.statistics.pixels import Moments, Statistics


def random_sample(size: Size, seed: int, *, depth: bool = True) -> Sample:
    """Uniform noise; depth 0..9.999 m in whole millimetres, a tenth of it invalid."""
    rng = np.random.default_rng(seed)
    millimetres = rng.integers(1, 10_000, size) * (rng.random(size) > 0.1)
    return Sample(
        key="000000000",
        image=rng.integers(0, 256, (*size, 3), dtype=np.uint8),
        mask=rng.integers(0, 256, size, dtype=np.uint8),
        instances=None,
        depth=(millimetres / 1000).astype(np.float32) if depth else None,
        meta={},
    )


def python_sums(values: np.ndarray) -> tuple[int, list[int], list[int]]:
    """Count, sums, sums of squares of [n, channels], by Python's own integers."""
    columns = [[int(value) for value in column] for column in values.T]
    return (
        len(values),
        [sum(column) for column in columns],
        [sum(value * value for value in column) for column in columns],
    )


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 99),
    depth=st.booleans(),
)
def test_sums_are_those_of_python_integers(height: int, width: int, seed: int, depth: bool) -> None:
    sample = random_sample((height, width), seed, depth=depth)
    found = Statistics()
    found.add(sample)
    image, mask = found.image, found.mask
    assert (image.count, image.total, image.squares) == python_sums(sample.image.reshape(-1, 3))
    assert (mask.count, mask.total, mask.squares) == python_sums(sample.mask.reshape(-1, 1))
    if sample.depth is None:
        assert found.depth == Moments()
    else:
        valid = np.rint(sample.depth[sample.depth > 0].astype(np.float64) * 1000).reshape(-1, 1)
        one = found.depth
        assert (one.count, one.total, one.squares) == python_sums(valid)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (160, 160), (255, 257), (1024, 1031)])
def test_the_brightest_picture_of_any_size_is_exact(size: Size) -> None:
    pixels = size[0] * size[1]
    white = Sample(
        "0", np.full((*size, 3), 255, np.uint8), np.full(size, 255, np.uint8), None, None, {}
    )
    found = Statistics()
    found.add(white)
    assert found.image == Moments(pixels, [255 * pixels] * 3, [65025 * pixels] * 3)
    assert found.mask == Moments(pixels, [255 * pixels], [65025 * pixels])
    assert found.summary()["image"] == {"mean": [1.0] * 3, "std": [0.0] * 3}


@pytest.mark.parametrize(("size", "count"), [((2, 3), 600), ((700, 900), 40)])
def test_many_of_the_brightest_pictures_are_exact(size: Size, count: int) -> None:
    # More than float32 could add up, in one place or by strips.
    white = Sample(
        "0", np.full((*size, 3), 255, np.uint8), np.zeros(size, np.uint8), None, None, {}
    )
    found, pixels = Statistics(), size[0] * size[1] * count
    for _ in range(count):
        found.add(white)
    assert found.image == Moments(pixels, [255 * pixels] * 3, [65025 * pixels] * 3)


def test_mean_and_std_of_160x160_are_those_of_numpy() -> None:
    samples = [random_sample((160, 160), seed) for seed in range(4)]
    found = Statistics()
    for sample in samples:
        found.add(sample)
    image = np.concatenate([one.image.reshape(-1, 3) for one in samples]).astype(np.float64) / 255
    mask = np.concatenate([one.mask.ravel() for one in samples]).astype(np.float64) / 255
    depth = np.concatenate([one.depth[one.depth > 0] for one in samples if one.depth is not None])
    summary = found.summary()
    assert summary["image"]["mean"] == pytest.approx(image.mean(axis=0).tolist(), rel=1e-12)
    assert summary["image"]["std"] == pytest.approx(image.std(axis=0).tolist(), rel=1e-12)
    assert summary["mask"]["std"] == pytest.approx([mask.std()], rel=1e-12)
    assert summary["depth"]["mean"] == pytest.approx([depth.astype(np.float64).mean()], rel=1e-7)
    assert summary["depth"]["std"] == pytest.approx([depth.astype(np.float64).std()], rel=1e-6)


def test_channels_are_not_mixed() -> None:
    image = np.empty((33, 31, 3), np.uint8)
    image[:] = (1, 2, 3)
    found = Statistics()
    found.add(Sample("0", image, np.zeros((33, 31), np.uint8), None, None, {}))
    assert found.image.total == [1023, 2046, 3069]
    assert found.image.squares == [1023, 4092, 9207]


def test_depth_of_large_canvases_is_exact() -> None:
    """Their squares add up to more than float64 holds."""
    level = np.float32(61.237)
    depth = np.full((2200, 2100), level)
    depth[7, 9], depth[3] = 0.003, 0
    found = Statistics()
    found.add(replace(random_sample((4, 4), 0, depth=False), depth=depth))
    count = 2199 * 2100
    assert found.depth == Moments(count, [61237 * (count - 1) + 3], [61237**2 * (count - 1) + 9])


def test_depth_beyond_65_metres() -> None:
    found = Statistics()
    depth = np.array([[80.0, 0.0, 1.0004]], np.float32)
    found.add(replace(random_sample((1, 3), 0, depth=False), depth=depth))
    assert found.depth == Moments(2, [81000], [80000**2 + 1000**2])


def test_windows_of_larger_arrays_count_as_their_copies() -> None:
    sample = random_sample((40, 40), 5, depth=False)
    view = Sample("0", sample.image[3:30:2, ::-1], sample.mask[3:30:2, ::-1], None, None, {})
    copy = Sample("0", view.image.copy(), view.mask.copy(), None, None, {})
    one, other = Statistics(), Statistics()
    one.add(view)
    other.add(copy)
    assert one == other


@given(order=st.permutations(range(5)), cut=st.integers(0, 5))
def test_shards_may_be_merged_in_any_order(order: list[int], cut: int) -> None:
    samples = [random_sample((5 + seed, 7), seed, depth=seed != 2) for seed in range(5)]
    whole = Statistics()
    for sample in samples:
        whole.add(sample)
    parts = [Statistics(), Statistics()]
    for place, number in enumerate(order):
        parts[place < cut].add(samples[number])
    merged = Statistics()
    for part in parts:
        merged.merge(part)
    assert merged == whole


def test_merging_with_nothing_changes_nothing(make_sample: Callable[..., Sample]) -> None:
    some, empty = Statistics(), Statistics()
    some.add(make_sample(0))
    before = some.as_sums()
    some.merge(empty)
    empty.merge(some)
    assert some.as_sums() == before == empty.as_sums()
    assert Statistics().summary() == {}


def test_merging_leaves_the_other_alone(make_sample: Callable[..., Sample]) -> None:
    one, other = Statistics(), Statistics()
    other.add(make_sample(0))
    before = other.as_sums()
    one.merge(other)
    one.add(make_sample(1))
    assert other.as_sums() == before


def test_sums_survive_json(make_sample: Callable[..., Sample]) -> None:
    some = Statistics()
    some.add(make_sample(3))
    assert Statistics.from_sums(json.loads(json.dumps(some.as_sums()))) == some


def test_invalid_depth_is_left_out() -> None:
    depth = np.array([[0, 1, 2], [0, 0, 4]], np.float32)
    grey = np.zeros((2, 3), np.uint8)
    found = Statistics()
    found.add(Sample("0", np.zeros((2, 3, 3), np.uint8), grey, None, depth, {}))
    assert found.depth == Moments(3, [7000], [21_000_000])


def test_depth_without_a_valid_pixel_counts_nothing() -> None:
    found = Statistics()
    pixels = np.zeros((2, 2, 3), np.uint8)
    found.add(Sample("0", pixels, pixels[..., 0], None, np.zeros((2, 2), np.float32), {}))
    assert found.depth.count == 0
    assert "depth" not in found.summary()


def test_no_cancellation_where_the_spread_is_small() -> None:
    # One value in ten thousand million differs: by floats, squares and mean cancel to nothing.
    count = 10**10
    moments = Moments(count, [255 * count - 1], [65025 * count - 255**2 + 254**2])
    assert moments.std(1.0)[0] == pytest.approx(1e-5, rel=1e-9)


def test_the_deepest_map_is_exact() -> None:
    depth = np.full((160, 160), 65.535, np.float32)
    found = Statistics()
    pixels = np.zeros((1, 1, 3), np.uint8)
    found.add(Sample("0", pixels, pixels[..., 0], None, depth, {}))
    assert found.depth == Moments(25_600, [65535 * 25_600], [65535**2 * 25_600])
