from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from depthmask.kernels import light
from depthmask.kernels.compiled import native

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")


def float32(values: Any) -> Any:
    return np.array(values, np.float32)


def _points(seed: int) -> tuple[Any, Any]:
    """Positions and unit normals [3, n]."""
    rng = np.random.default_rng(seed)
    position = rng.uniform(0, 4, (3, int(rng.integers(0, 200)))).astype(np.float32)
    normal = rng.normal(size=position.shape)
    return position, (normal / np.linalg.norm(normal, axis=0)).astype(np.float32)


@COMPILED
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("own", [True, False])
def test_the_fallback_gives_the_same_shares(seed: int, own: bool) -> None:
    position, normal = _points(seed)
    rng = np.random.default_rng(seed)
    targets = rng.uniform(0, 4, (3, 3, position.shape[1] if own else 1)).astype(np.float32)
    lights = float32([[0, 0, 0, 1, 2.5], [1, 0, 0, 0, 0], [0, 0.6, -0.8, 0, 0.3]])
    made = light.arriving(position, normal, targets, lights)
    np.testing.assert_array_equal(made, light._arriving(position, normal, targets, lights))


def test_shares_by_hand() -> None:
    """2 m below a lamp, and 2 m in front of a panel of 3 square metres."""
    position, normal = float32([[0], [0], [0]]), float32([[0], [1], [0]])
    targets = float32([[0], [2], [0]])[:, :, None].repeat(2, axis=1)
    lights = float32([[1, 0, 0, 0, 0], [0, 0, -1, 0, 3]])
    lamp, panel = light.arriving(position, normal, targets, lights)[:, 0]
    assert lamp == pytest.approx(2 / np.sqrt(4.02) / 4.32)
    assert panel == pytest.approx(2 * 2 * 3 / 16.05)
    behind = light.arriving(position, -normal, targets, lights)
    assert not behind.any()


PANES = float32([
    [0, 0, 1, 0, 0.8, 1.0, 1.5, 0, 1, 0, 0, 0.75, 0, 1, 0, 0.65],
    [1, 0, 0, 0, 0.3, 0, 1.2, 2.0, 0, 0, 1, 0.95, 0, 1, 0, 0.45],
])  # fmt: skip
TOWARDS = float32([0.3, 0.52, -0.8])


@COMPILED
@pytest.mark.parametrize("seed", range(10))
def test_the_fallback_gives_the_same_sunlight(seed: int) -> None:
    position, normal = _points(seed)
    other = np.zeros(position.shape[1], np.float32)
    light._sunlight(position, normal, TOWARDS, PANES, other)
    made = light.sunlight(position, normal, TOWARDS, PANES)
    np.testing.assert_array_equal(made, other)


def test_sun_falls_through_panes_alone() -> None:
    """Points behind the middle of the first pane's quarter, of its bars, and of the wall."""
    places = float32([[1.3, 1.8, 0], [1.0, 1.8, 0], [3.0, 1.8, 0]])
    position = (places - TOWARDS * 2).T
    normal = np.repeat(TOWARDS[:, None], 3, axis=1)
    share = light.sunlight(position, normal, TOWARDS, PANES[:1])
    np.testing.assert_allclose(share, [float(TOWARDS @ TOWARDS), 0, 0], atol=1e-6)


@COMPILED
def test_the_fallback_looks_up_the_same_entries() -> None:
    rng = np.random.default_rng(0)
    table = rng.random((3, 5 * 7), np.float32)
    u, v = rng.uniform(-0.5, 4.5, (2, 500)).astype(np.float32)
    made = light.looked_up(u, v, table, (7, 5), (7 / 4, 5 / 4))
    np.testing.assert_array_equal(made, light._looked_up(u, v, table, (7, 5), (7 / 4, 5 / 4)))


def test_entries_by_hand() -> None:
    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    u, v = float32([0.4, 0.6, -1, 9]), float32([0.1, 0.1, 0.9, 9])
    made = light.looked_up(u, v, table, (2, 2), (2.0, 2.0))
    assert made.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


OPENINGS = float32([
    [2, 5.0, 1.0, 2.0, 0.9, 2.1, 4.0, 4.2, 4.4],
    [0, 0.0, 2.0, 3.5, 0.2, 2.1, 1.0, 1.1, 1.2],
])  # fmt: skip


@COMPILED
def test_the_fallback_mirrors_the_same() -> None:
    rng = np.random.default_rng(0)
    position = rng.uniform(0, 4, (3, 400)).astype(np.float32)
    ray = rng.uniform(-1, 1, (3, 400)).astype(np.float32)
    colour = rng.random((3, 400), np.float32)
    other, own = colour.copy(), slice(31, 377)
    light.add_mirrored(colour, position, ray, own, OPENINGS, 0.09)
    before = other.copy()
    light._add_mirrored(other[:, own], position[:, own], ray[:, own], OPENINGS, 0.09)
    np.testing.assert_array_equal(colour, other)
    assert (colour != before).sum() > 50


def test_a_reflection_by_hand() -> None:
    """A ray that falls on the floor 2 m before the wall goes up as steeply as it came."""
    position, ray = float32([[1.5], [0.0], [3.0]]), float32([[0.0], [-0.75], [1.0]])
    colour = np.zeros((3, 1), np.float32)
    light.add_mirrored(colour, position, ray, slice(0, 1), OPENINGS[:1], 0.1)
    graze = 1 - 0.75 / 1.25
    expected = float32([4.0, 4.2, 4.4]) * 0.1 * (0.35 + 3 * graze**3) * 0.6
    np.testing.assert_allclose(colour[:, 0], expected, rtol=1e-5)
    light.add_mirrored(colour, position, -ray, slice(0, 1), OPENINGS[:1], 0.1)
    np.testing.assert_allclose(colour[:, 0], expected, rtol=1e-5)


@COMPILED
def test_the_fallback_does_the_same_to_what_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    position, normal, ray = rng.uniform(-1, 4, (3, 3, 300)).astype(np.float32)
    for one in (position, normal, ray):
        one[rng.random(one.shape) < 0.1] = np.nan
        one[rng.random(one.shape) < 0.05] = np.inf
        one[rng.random(one.shape) < 0.05] = 0
    targets, table = float32([[0], [2], [0]])[:, :, None], rng.random((3, 35), np.float32)
    targets = targets.repeat(2, axis=1)
    lights = float32([[1, 0, 0, 0, 0], [0, 0, -1, 0, 3]])
    openings = float32([[2, 4, -1, 1, 0.5, 2, 1, 0.9, 0.8], [0, -2, 0, 2, 0, 3, 1, 1, 1]])

    def work() -> list[Any]:
        colour = np.zeros_like(position)
        with np.errstate(all="ignore"):
            light.add_mirrored(colour, position, ray, slice(0, 300), openings, 0.4)
            return [
                light.arriving(position, normal, targets, lights),
                light.sunlight(position, normal, TOWARDS, PANES),
                light.looked_up(position[0], position[1], table, (7, 5), (7 / 4, 5 / 4)),
                colour,
            ]

    compiled = work()
    monkeypatch.setattr(light, "native", None)
    for made, other in zip(compiled, work(), strict=True):
        np.testing.assert_array_equal(made, other)
