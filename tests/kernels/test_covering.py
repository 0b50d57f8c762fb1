from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from depthmask.kernels import covering
from depthmask.kernels.compiled import native

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")
SIZES = ((1, 1), (3, 7), (16, 33), (40, 100))


def _bytes(rng: np.random.Generator, size: tuple[int, int]) -> Any:
    """A window of a larger array, with many 0 and 255."""
    values = rng.integers(-100, 356, (size[0] + 2, size[1] + 3)).clip(0, 255).astype(np.uint8)
    return values[1:-1, 2:-1]


def _depth(rng: np.random.Generator, size: tuple[int, int]) -> Any:
    depth_m = rng.integers(0, 8, (size[0] + 2, size[1] + 3)).astype(np.float32) / np.float32(2)
    return depth_m[1:-1, 2:-1]


def _both(monkeypatch: pytest.MonkeyPatch, work: Any) -> tuple[Any, Any]:
    compiled = work()
    monkeypatch.setattr(covering, "native", None)
    return compiled, work()


@COMPILED
@pytest.mark.parametrize("size", SIZES)
def test_the_fallbacks_give_the_same(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(size[1])
    alpha, values, depth_m = _bytes(rng, size), _bytes(rng, size), _depth(rng, size)
    other_m = _depth(rng, size) + np.float32(0.25)

    def work() -> list[Any]:
        mask, flat_m, deep_m = values.copy(), depth_m.copy(), depth_m.copy()
        covering.unite(mask, alpha)
        covering.set_nearer(flat_m, 1.7, alpha, 128)
        covering.set_nearer(deep_m, other_m, alpha, 1)
        return [
            covering.uncovered(alpha, depth_m, 1.6),
            covering.overlap(alpha, values),
            *(covering.least_depth(depth_m, alpha, least) for least in (0, 1, 128, 255)),
            *covering.dimmed(values, alpha),
            mask,
            flat_m,
            deep_m,
            covering.least_depths(depth_m),
            covering.least_depths(depth_m, 3),
        ]

    for compiled, fallback in zip(*_both(monkeypatch, work), strict=True):
        np.testing.assert_array_equal(compiled, fallback)


@COMPILED
def test_all_products_are_rounded_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    values, alpha = (one.astype(np.uint8) for one in np.indices((256, 256)))
    (compiled, lost), (fallback, lost_too) = _both(
        monkeypatch, lambda: covering.dimmed(values, alpha)
    )
    np.testing.assert_array_equal(compiled, fallback)
    exact = np.rint(values.astype(float) * (255.0 - alpha) / 255)
    np.testing.assert_array_equal(compiled, exact)
    assert lost == lost_too == int(values.sum()) - int(exact.sum())


def test_alpha_is_covered_by_what_is_nearer_and_valid() -> None:
    alpha = np.full((1, 4), 200, np.uint8)
    depth_m = np.array([[0, 1, 2, 3]], np.float32)
    assert covering.uncovered(alpha, depth_m, 2).tolist() == [[200, 0, 200, 200]]
    assert covering.uncovered(alpha, depth_m, 1) is alpha


def test_depth_is_set_where_it_is_nearer_or_invalid() -> None:
    alpha = np.array([[127, 128, 255, 255]], np.uint8)
    depth_m = np.array([[0, 0, 1, 3]], np.float32)
    covering.set_nearer(depth_m, 2.0, alpha, 128)
    assert depth_m.tolist() == [[0, 2, 1, 2]]


@pytest.mark.parametrize("fallback", [False, True])
def test_the_least_depth_is_that_of_valid_pixels_that_show(fallback: bool) -> None:
    depth_m = np.array([[0, 0.5, 3, 65.5, 1e-40]], np.float32)
    alpha = np.array([[255, 99, 128, 200, 127]], np.uint8)
    least_depth = covering._least_depth if fallback else covering.least_depth
    assert least_depth(depth_m, alpha, 128) == 3
    assert least_depth(depth_m, alpha, 129) == 65.5
    assert least_depth(depth_m, alpha, 99) == float(depth_m[0, 4])
    assert least_depth(depth_m, alpha, 201) == 0
    assert least_depth(depth_m[:, 1:], alpha[:, 1:], 255) == 0


def test_an_empty_window_is_nothing() -> None:
    nothing = np.zeros((0, 5), np.uint8)
    assert covering.overlap(nothing, nothing) == 0
    assert covering.dimmed(nothing, nothing)[1] == 0


@COMPILED
def test_sizes_have_to_fit() -> None:
    alpha, values = np.zeros((2, 3), np.uint8), np.zeros((2, 4), np.uint8)
    with pytest.raises(ValueError, match="differ in size"):
        covering.overlap(alpha, values)


def test_the_least_depth_of_each_block() -> None:
    depth_m = np.array([[0, 3, 0, 0], [2, 4, 0, 0], [5, 0, 1, 0]], np.float32)
    assert covering.least_depths(depth_m, 2).tolist() == [[2, np.inf], [5, 1]]


@pytest.mark.parametrize("value", [-0.0, -1.0, np.nan, -np.inf, np.inf, 1e-45])
def test_what_is_no_depth_is_not_the_least(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    depth_m = np.full((3, 20), value, np.float32)
    alpha = np.full((3, 20), 255, np.uint8)
    is_depth = value > 0
    for compiled in (native, None):
        monkeypatch.setattr(covering, "native", compiled)
        assert covering.least_depth(depth_m, alpha, 1) == (depth_m[0, 0] if is_depth else 0)
        assert covering.least_depths(depth_m).tolist() == [
            [float(depth_m[0, 0]) if is_depth else np.inf]
        ]
