from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from depthmask.kernels import patterns
from depthmask.kernels.compiled import native
from depthmask.kernels.patterns import Materials, Pattern, painted

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")


def float32(values: Any) -> Any:
    return np.array(values, np.float32)


def int32(values: Any) -> Any:
    return np.array(values, np.int32)


def _materials(seed: int) -> Materials:
    """One of each pattern."""
    rng = np.random.default_rng(seed)
    kinds = np.array(list(Pattern), np.int32)
    numbers = rng.uniform(0.05, 1, (len(kinds), 7)).astype(np.float32)
    return Materials(kinds, rng.integers(0, 1024, len(kinds)).astype(np.int32), numbers)


def _points(seed: int, ordered: bool) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(Pattern), 6000).astype(np.int16)
    u, v = rng.uniform(-1.5, 4, (2, 6000)).astype(np.float32)
    return u, v, np.sort(which) if ordered else which


@COMPILED
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_the_fallback_gives_the_same_colours(seed: int, ordered: bool) -> None:
    u, v, which = _points(seed, ordered)
    materials = _materials(seed)
    other = np.empty((3, u.size), np.float32)
    patterns._paint(u, v, which, materials, other)
    np.testing.assert_array_equal(painted(u, v, which, materials), other)


def test_every_pattern_varies_between_its_colours() -> None:
    u, v, which = _points(0, True)
    materials = _materials(0)
    colour = painted(u, v, which, materials)
    for kind in Pattern:
        own = colour[:, which == kind]
        first, second = materials.numbers[kind, :3], materials.numbers[kind, 3:6]
        assert own.min() >= np.minimum(first, second).min() * 0.3
        assert own.max() <= np.maximum(first, second).max() * 1.5
        assert (np.ptp(own, axis=1) > 0).all() == (kind is not Pattern.plain)


def test_a_checker_by_hand() -> None:
    materials = Materials(int32([Pattern.checker]), int32([0]), float32([[0, 0, 0, 1, 1, 1, 0.5]]))
    u, v = float32([0.25, 0.75, 0.75]), float32([0.25, 0.25, 0.75])
    colour = painted(u, v, np.zeros(3, np.int16), materials)[0]
    assert colour[0] == colour[2] == 0
    assert colour[1] == pytest.approx(1, abs=0.15)


def test_an_unknown_material_is_refused() -> None:
    if native is None:
        pytest.skip("the kernels are not compiled")
    u, v, which = _points(0, True)
    which[3] = len(Pattern)
    with pytest.raises(ValueError, match="do not fit"):
        painted(u, v, which, _materials(0))


@COMPILED
@pytest.mark.parametrize("seed", range(6))
def test_the_fallback_sees_the_same_outdoors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ray = rng.uniform((-2, -0.5, -1), (2, 0.5, 1), (3000, 3)).T.astype(np.float32)
    colours = rng.uniform(0.5, 4, (5, 3)).astype(np.float32)
    other = np.empty_like(ray)
    patterns._outdoors(ray, colours, seed, other)
    made = patterns.outdoors(ray, colours, seed)
    np.testing.assert_array_equal(made, other)
    assert np.ptp(made) > 0.5


def test_grass_lies_below_and_sky_above() -> None:
    colours = float32([[9, 9, 9], [8, 8, 8], [1, 1, 1], [0.5, 0.5, 0.5], [1, 1, 1]])
    ray = float32([[0.1, 0.1], [-0.5, 2.0], [1.0, 1.0]])
    grass, sky = patterns.outdoors(ray, colours, 1)[0]
    assert grass < 1
    assert 4 < sky <= 9
