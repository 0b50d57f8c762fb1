"""Furniture by theme: a living room, a bedroom, a dining room, a study, an almost empty room."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from depthmask.kernels.patterns import Pattern
from depthmask.stages.source._rooms.furniture import Maker, decor, seating, storage, tables
from depthmask.stages.source._rooms.layout import Layout
from depthmask.stages.source._rooms.material import FABRICS, Material, linear, pick
from depthmask.stages.source._rooms.room import BACK, LEFT, RIGHT, Rug, Wall

Theme: TypeAlias = Callable[[np.random.Generator, Layout, dict[int, Wall]], list[Rug]]


def _rug(rng: np.random.Generator, layout: Layout, at: tuple[float, float]) -> Rug:
    """A rug around world (x, z)."""
    half, deep = rng.uniform(0.85, 1.25), rng.uniform(0.6, 0.9)
    x = (max(at[0] - half, 0.1), min(at[0] + half, layout.width - 0.1))
    z = (max(at[1] - deep, 0.1), min(at[1] + deep, layout.depth - 0.1))
    names = pick(rng, FABRICS), pick(rng, ("e2d9c8", "cfc6b6", "46484c", "d8d2c6"))
    weave = Material(linear(names[0]), linear(names[1]), Pattern.rug, seed=int(rng.integers(1024)))
    return Rug(x, z, weave)


def _furnish_walls(
    rng: np.random.Generator, layout: Layout, walls: dict[int, Wall], makers: list[Maker], most: int
) -> None:
    """Place up to `most` pieces at any visible wall."""
    order = rng.permutation(len(makers))
    placed_count = 0
    for number in order:
        face = (LEFT, RIGHT, BACK)[int(rng.integers(3))]
        placed_count += layout.place_at_wall(rng, makers[int(number)], walls[face]) is not None
        if placed_count == most:
            return


def living(rng: np.random.Generator, layout: Layout, walls: dict[int, Wall]) -> list[Rug]:
    """A sofa, a rug or low table in front of it, and furniture along the walls."""
    face = BACK if rng.random() < 0.6 else (LEFT, RIGHT)[int(rng.integers(2))]
    spot = layout.place_at_wall(rng, seating.sofa, walls[face])
    rugs = []
    if spot is not None:
        centre = walls[face].at(spot[0], 1.75)
        if rng.random() < 0.8:
            rugs.append(_rug(rng, layout, centre))
        if rng.random() < 0.75:
            layout.place_on_floor(rng, tables.coffee_table, centre, walls[face].yaw)
    screen = storage.television if rng.random() < 0.5 else storage.cabinet
    _furnish_walls(rng, layout, walls, [
        screen, storage.bookshelf, decor.floor_lamp, decor.plant, seating.armchair, tables.vase,
        seating.pouf,
    ], int(rng.integers(3, 6)))  # fmt: skip
    return rugs


def bedroom(rng: np.random.Generator, layout: Layout, walls: dict[int, Wall]) -> list[Rug]:
    """A bed with its head to a wall, nightstands, and furniture along the walls."""
    face = BACK if rng.random() < 0.7 else (LEFT, RIGHT)[int(rng.integers(2))]
    spot = layout.place_at_wall(rng, seating.bed, walls[face])
    rugs = []
    if spot is not None:
        for side in (-1.25, 1.25):
            layout.place_at_wall(rng, storage.nightstand, walls[face], spot[0] + side)
        if rng.random() < 0.6:
            rugs.append(_rug(rng, layout, walls[face].at(spot[0], 2.2)))
    _furnish_walls(rng, layout, walls, [
        storage.wardrobe, storage.dresser, decor.plant, decor.floor_lamp, seating.chair,
    ], int(rng.integers(2, 5)))  # fmt: skip
    return rugs


def dining(rng: np.random.Generator, layout: Layout, walls: dict[int, Wall]) -> list[Rug]:
    """A table among chairs."""
    at = (
        layout.width * float(rng.uniform(0.35, 0.65)),
        min(layout.depth - 1.5, float(layout.eye[2]) + float(rng.uniform(2.6, 3.4))),
    )
    chair_seed = int(rng.integers(1 << 30))
    rugs = []
    if layout.place_on_floor(rng, tables.table, at, 0.0):
        rugs = [_rug(rng, layout, at)] if rng.random() < 0.4 else []
        _chairs(rng, layout, at, chair_seed)
    _furnish_walls(rng, layout, walls, [
        storage.cabinet, decor.plant, storage.bookshelf, decor.floor_lamp, tables.vase,
    ], int(rng.integers(2, 5)))  # fmt: skip
    return rugs


def _chairs(rng: np.random.Generator, layout: Layout, at: tuple[float, float], seed: int) -> None:
    """Equal chairs around the table that was placed last."""
    x0, x1, z0, z1 = layout.taken[-1]
    # Left, right, near and far; a chair faces -z, so it turns to look at the table.
    seats = (
        ((x0 - 0.38, at[1]), -0.5), ((x1 + 0.38, at[1]), 0.5),
        ((at[0] - 0.3, z1 + 0.36), 0.0), ((at[0] + 0.32, z1 + 0.36), 0.0),
        ((at[0], z0 - 0.38), 1.0),
    )  # fmt: skip
    for place, turn in seats:
        if rng.random() < 0.8:
            chair_rng = np.random.Generator(np.random.Philox(seed))
            yaw = turn * float(np.pi) + float(rng.uniform(-0.15, 0.15))
            layout.place_on_floor(chair_rng, seating.chair, place, yaw)


def study(rng: np.random.Generator, layout: Layout, walls: dict[int, Wall]) -> list[Rug]:
    """A desk with a chair, and shelves and other furniture along the walls."""
    face = (BACK, LEFT, RIGHT)[int(rng.integers(3))]
    spot = layout.place_at_wall(rng, tables.desk, walls[face])
    if spot is not None:
        out = float(rng.uniform(0.95, 1.15))
        turn = walls[face].yaw + float(np.pi) + float(rng.uniform(-0.4, 0.4))
        layout.place_on_floor(rng, seating.chair, walls[face].at(spot[0] - 0.1, out), turn)
    _furnish_walls(rng, layout, walls, [
        storage.bookshelf, seating.armchair, decor.plant, decor.floor_lamp, storage.dresser,
        storage.cabinet,
    ], int(rng.integers(3, 5)))  # fmt: skip
    return [_rug(rng, layout, (layout.width / 2, layout.depth * 0.6))] if rng.random() < 0.5 else []


def sparse(rng: np.random.Generator, layout: Layout, walls: dict[int, Wall]) -> list[Rug]:
    """Few pieces, as when someone moves in."""
    _furnish_walls(rng, layout, walls, [
        storage.crate, decor.plant, seating.armchair, storage.crate, decor.floor_lamp,
        storage.cabinet, seating.stool,
    ], int(rng.integers(2, 5)))  # fmt: skip
    return [_rug(rng, layout, (layout.width / 2, layout.depth * 0.6))] if rng.random() < 0.4 else []


THEMES: tuple[Theme, ...] = (living, bedroom, dining, study, living, sparse)
