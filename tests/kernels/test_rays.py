"""Rays at bodies: compiled and not, culled and not, by hand and by sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from depthmask.kernels import rays
from depthmask.kernels.compiled import native
from depthmask.kernels.rays import BALL, BOX, FACES, NOTHING, ROUND, Bodies
from depthmask.stages.source._rooms.angles import cosine, sine
from depthmask.stages.source._rooms.material import solid_colour, wood
from depthmask.stages.source._rooms.raycast import nearest
from depthmask.stages.source._rooms.solids import Shape, Solid, bodies, box, turned
from depthmask.stages.source._rooms.view import Grid, View, frames, seen_from

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")


def float32(values: Any) -> Any:
    return np.array(values, np.float32)


def _solids(seed: int, count: int = 30) -> list[Solid]:
    """Bodies of all kinds, upright or not, thin and thick, in front of the origin."""
    rng = np.random.default_rng(seed)
    solids = []
    for number in range(count):
        half = 10 ** rng.uniform(-2.5, -0.2, 3)
        centre = rng.uniform((-2, 0, 1), (2, 2, 6))
        taper = float(rng.choice([1.0, 0.0, 0.3, 2.5]))
        material = wood(rng) if number % 4 == 0 else solid_colour("808080")
        one = Solid(Shape(number % 3), centre, np.diag(half), material, taper, 0.02, number % 5)
        if number % 2:
            one = turned(turned(one, 0, rng.uniform(-3, 3)), 1, rng.uniform(-3, 3))
        solids.append(one)
    return solids


def _grid(kind: Any) -> Grid:
    return Grid(np.linspace(-0.8, 0.8, 61).astype(kind), np.linspace(-0.6, 0.5, 43).astype(kind))


def _hits(seed: int, kind: Any, inside: bool) -> tuple[Any, Any]:
    """z and surface of a scene."""
    view = View(np.array([0.1, 1.2, -0.5]), 0.1, 0.2)
    shell = Solid(Shape.box, np.array([0, 1.5, 3]), np.diag([3, 1.5, 4]), solid_colour("808080"))
    room = frames(view, bodies([shell]))[0] if inside else None
    made = nearest(_grid(kind), room, seen_from(view, bodies(_solids(seed))))
    return made.z, made.surface


def _ways(seed: int, own: bool) -> tuple[Any, Any]:
    """Starts [3, n] and targets [3, m, n or 1], some of them along the axes."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 300))
    starts = rng.uniform((-2.5, 0, 0), (2.5, 2.5, 7), (count, 3)).T.astype(np.float32)
    targets = rng.uniform((-3, 0, 0), (3, 3, 7), (count if own else 1, 4, 3)).T.astype(np.float32)
    if own:
        targets[:, 0] = starts + float32([[0], [1], [0]])
    return starts, targets


@COMPILED
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_fallback_casts_the_same_rays(
    kind: Any, inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = [_hits(seed, kind, inside) for seed in range(6)]
    monkeypatch.setattr(rays, "native", None)
    for seed, (z, surface) in enumerate(compiled):
        other_z, other_surface = _hits(seed, kind, inside)
        assert z.dtype == kind
        np.testing.assert_array_equal(z, other_z)
        np.testing.assert_array_equal(surface, other_surface)
        assert (surface >= FACES).any()


@COMPILED
@pytest.mark.parametrize("own", [True, False])
def test_the_fallback_blocks_the_same_ways(own: bool) -> None:
    """It tests all bodies, so nothing is lost by leaving out those that are far."""
    blocked = 0
    for seed in range(40):
        starts, targets = _ways(seed, own)
        things = bodies(_solids(seed, 12))
        made = rays.blocked(starts, targets, things)
        np.testing.assert_array_equal(made, rays._blocked(starts, targets, things))
        blocked += int(made.sum())
    assert blocked > 100


@COMPILED
@pytest.mark.parametrize("thinnest_m", [2e-5, 2e-4, 1e-3, 6e-3])
@pytest.mark.parametrize("shape", [0, 1, 2])
def test_bodies_far_thinner_than_those_of_rooms(shape: int, thinnest_m: float) -> None:
    """In float32 they seem to be larger, so that ways may not be left out by their true size."""
    blocked = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        half = np.array([0.1, 0.1, 0.1])
        half[rng.integers(3)] = thinnest_m
        things = bodies([Solid(Shape(shape), np.zeros(3), np.diag(half), solid_colour("808080"))])
        starts = rng.normal(size=(3, 256))
        starts = (starts * rng.uniform(0.5, 8) / np.linalg.norm(starts, axis=0)).astype(np.float32)
        starts[:, :64] = starts[:, :1]
        targets = rng.uniform(-3, 3, (3, 4, 1)).astype(np.float32)
        made = rays.blocked(starts, targets, things)
        np.testing.assert_array_equal(made, rays._blocked(starts, targets, things))
        blocked += int(made.sum())
    assert blocked


def test_thin_bodies_are_not_lost_from_far_away() -> None:
    """Ways that pass a millimetre from the middle of rods and discs, metres away."""
    things = bodies([
        Solid(Shape.round, np.array([0, 0, 3]), np.diag([0.004, 1, 0.004]), solid_colour("808080")),
        Solid(Shape.ball, np.array([0, 0, 3]), np.diag([0.2, 0.004, 0.1]), solid_colour("808080")),
    ])  # fmt: skip
    starts = np.zeros((3, 100), np.float32)
    starts[0] = np.linspace(-0.001, 0.001, 100)
    # Not quite ahead: a ray along a side misses.
    starts[1] = -0.001
    targets = starts[:, None] + float32([[[0]], [[0.002]], [[6]]])
    assert rays.blocked(starts, targets, things).all()
    assert rays.blocked(starts, targets, things[0:1]).all()
    assert rays.blocked(starts, targets, things[1:2]).all()


def test_nothing_blocks_without_bodies_or_points() -> None:
    starts, targets = _ways(0, own=True)
    assert not rays.blocked(starts, targets, bodies([])).any()
    none = rays.blocked(starts[:, :0], targets[:, :, :0], bodies(_solids(0)))
    assert none.shape == (4, 0)


@COMPILED
def test_the_fallback_finds_the_same_points(monkeypatch: pytest.MonkeyPatch) -> None:
    def points(seed: int) -> rays.SurfacePoints:
        z, surface = _hits(seed, np.float32, True)
        surface[::5, ::3] = NOTHING
        grid, pose = _grid(np.float32), float32([1, 0, 0, 0, -1, 0, 0, 0, 1, 0.1, 1.2, -0.5])
        return rays.surface_points(grid.u, grid.v, (z, surface), pose, bodies(_solids(seed)), 3)

    compiled = [points(seed) for seed in range(6)]
    monkeypatch.setattr(rays, "native", None)
    for seed, made in enumerate(compiled):
        for one, other in zip(made, points(seed), strict=True):
            np.testing.assert_array_equal(one, other)
        assert (np.diff(made.surface) >= 0).all()


def test_a_box_by_hand() -> None:
    """A box of 1 x 1 x 2 m whose front is 3 m ahead."""
    grid = Grid(np.array([-0.4, 0.05, 0.1]), np.array([-0.05, 0.1]))
    thing = box((-0.5, 0.5), (-0.5, 0.5), (3.0, 5.0), solid_colour("808080"))
    view = View(np.zeros(3), 0.0, 0.0)
    hits = nearest(grid, None, seen_from(view, bodies([thing])))
    np.testing.assert_allclose(hits.z, [[np.inf, 3, 3], [np.inf, 3, 3]])
    assert hits.surface.tolist() == [[NOTHING, FACES, FACES]] * 2
    pose = float32([1, 0, 0, 0, -1, 0, 0, 0, 1, 0, 0, 0])
    made = rays.surface_points(
        grid.u.astype(np.float32),
        grid.v.astype(np.float32),
        (hits.z.astype(np.float32), hits.surface),
        pose,
        bodies([thing]),
    )
    np.testing.assert_allclose(made.normal, np.repeat([[0], [0], [-1]], 4, axis=1))
    np.testing.assert_allclose(made.u, [0.15, 0.3, 0.15, 0.3], atol=1e-6)
    np.testing.assert_allclose(made.v, [0.15, 0.15, -0.3, -0.3], atol=1e-6)
    assert made.pixel.tolist() == [1, 2, 4, 5]


@pytest.mark.parametrize("kind", [BOX, ROUND, BALL])
def test_blocked_is_what_samples_along_the_way_say(kind: int) -> None:
    things = [one for one in _solids(7, 60) if one.shape == kind and one.taper != 0]
    starts, targets = _ways(3, own=True)
    for one in things[:8]:
        table = bodies([one])
        made = rays.blocked(starts, targets, table)
        steps = np.linspace(0, 1, 4000)[:, None, None]
        way = targets - starts[:, None]
        inside = np.zeros(made.shape, bool)
        inverse = table.inverse[0]
        for row in range(made.shape[0]):
            at = starts.T[None] + steps * way[:, row].T[None] - one.centre
            x, y, z = np.moveaxis(at @ inverse.T, -1, 0)
            if kind == BOX:
                within = np.abs([x, y, z]).max(axis=0) < 1
            elif kind == BALL:
                within = x * x + y * y + z * z < 1
            else:
                radius = (1 + one.taper) / 2 + (one.taper - 1) / 2 * y
                within = (x * x + z * z < radius * radius) & (np.abs(y) < 1)
            inside[row] = within.any(axis=0)
        # Upright bodies are missed by ways along their sides; samples miss what is thin.
        assert (inside & ~made)[1:].sum() <= 1
        assert (made & ~inside).mean() < 0.01


@pytest.mark.parametrize("oversample", [1, 2, 3])
def test_busy_pixels_keep_their_rays(oversample: int) -> None:
    rng = np.random.default_rng(oversample)
    surface = rng.integers(-1, 2, (7 * oversample, 5 * oversample)).astype(np.int16)
    surface[: 3 * oversample] = 4
    busy = rng.random((7, 5)) < 0.3
    kept, also = surface.copy(), busy.copy()
    met = rays.keep_busy(kept, also, oversample)
    other, other_busy = surface.copy(), busy.copy()
    np.testing.assert_array_equal(met, rays._keep_busy(other, other_busy, oversample))
    np.testing.assert_array_equal(also, other_busy)
    np.testing.assert_array_equal(kept, other)
    blocks = surface.reshape(7, oversample, 5, oversample).swapaxes(1, 2).reshape(7, 5, -1)
    np.testing.assert_array_equal(also, busy | (blocks.min(axis=2) != blocks.max(axis=2)))
    np.testing.assert_array_equal(met, (blocks >= 0).sum(axis=2))
    wide = also.repeat(oversample, 0).repeat(oversample, 1)
    np.testing.assert_array_equal(kept, np.where(wide, surface, NOTHING))


def test_a_table_that_does_not_fit_is_refused() -> None:
    if native is None:
        pytest.skip("the kernels are not compiled")
    starts, targets = _ways(1, own=True)
    with pytest.raises(ValueError, match="do not fit"):
        rays.blocked(starts, targets, Bodies(np.zeros((3, 20))))
    z, surface = _hits(1, np.float32, True)
    surface[0, 0] = 1000
    grid, pose = _grid(np.float32), np.zeros(12, np.float32)
    with pytest.raises(ValueError, match="do not fit"):
        rays.surface_points(grid.u, grid.v, (z, surface), pose, bodies(_solids(1)))


def test_angles_are_those_of_the_c_library() -> None:
    for angle in np.linspace(-40, 40, 997):
        assert sine(float(angle)) == pytest.approx(np.sin(angle), abs=1e-14)
        assert cosine(float(angle)) == pytest.approx(np.cos(angle), abs=1e-14)
