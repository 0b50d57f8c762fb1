"""Windows with sills and curtains, doors, skirting boards and pictures on the walls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depthmask.kernels.patterns import Pattern
from depthmask.stages.source._rooms.lights import Panel
from depthmask.stages.source._rooms.material import (
    Colour,
    Material,
    linear,
    pick,
    solid_colour,
    wood,
)
from depthmask.stages.source._rooms.room import Wall, Window
from depthmask.stages.source._rooms.solids import Solid, Span, ball, rod

CURTAINS = ("e4ddd0", "cfc8ba", "b9bdb8", "8f9aa3", "c2a98d", "e9e6e0", "7c8a7a")
PRINTS = (
    ("efe9dc", "3f5a6e"), ("efe9dc", "b0623f"), ("e9e6e0", "4c5a3c"), ("f0ece2", "2f3336"),
    ("e8dcc5", "8a5a3c"), ("dfe3e3", "27485a"), ("f3e3c8", "c2803a"),
)  # fmt: skip


def window(rng: np.random.Generator, wall: Wall, middle: float, high: float, sky: Colour) -> Window:
    """A window around `middle` metres along the wall, in a room `high` metres high."""
    half = min(rng.uniform(0.5, 1.0), middle - 0.3, wall.length - 0.3 - middle)
    tall = rng.random() < 0.25
    up = (0.12 if tall else rng.uniform(0.8, 0.95), min(high - 0.3, rng.uniform(2.1, 2.3)))
    x, z = wall.at(middle, 0)
    side = np.zeros(3)
    side[0 if wall.inward[0] == 0 else 2] = half
    centre = np.array([x, (up[0] + up[1]) / 2, z])
    panel = Panel(centre, side, np.array([0, (up[1] - up[0]) / 2, 0]), wall.inward, sky)
    return Window(wall.face, (middle - half, middle + half), up, int(half > 0.55) + 1, panel)


def dressing(rng: np.random.Generator, wall: Wall, opening: Window) -> list[Solid]:
    """The sill, the radiator and the curtains of a window."""
    (left, right), low = opening.along, opening.up[0]
    white = solid_colour("e9e7e2")
    solids = []
    if low > 0.5:
        solids.append(wall.block((left - 0.06, right + 0.06), (low - 0.035, low), (0, 0.14), white))
        if rng.random() < 0.5:
            solids += _radiator(wall, left + 0.1, right - 0.1, low - 0.12, white)
    if rng.random() < 0.65:
        solids += _curtains(rng, wall, opening)
    return solids


def _radiator(wall: Wall, left: float, right: float, top: float, white: Material) -> list[Solid]:
    ribs = Material(white.colour, white.colour, Pattern.folds, 0.06)
    return [wall.block((left, right), (0.12, top), (0.03, 0.09), ribs)]


def _curtains(rng: np.random.Generator, wall: Wall, opening: Window) -> list[Solid]:
    (left, right), top = opening.along, opening.up[1] + 0.12
    colour = linear(pick(rng, CURTAINS))
    cloth = Material(colour, colour, Pattern.folds, 0.09, seed=int(rng.integers(1024)))
    low = 0.03 if rng.random() < 0.75 else opening.up[0] - 0.1
    wide = rng.uniform(0.24, 0.42)
    start, end = max(left - 0.25, 0.02), min(right + 0.25, wall.length - 0.02)
    bar = [wall.at(start - 0.01, 0.11), wall.at(end + 0.01, 0.11)]
    pole = rod((bar[0][0], top, bar[0][1]), (bar[1][0], top, bar[1][1]), 0.014,
               solid_colour("5a5148"))  # fmt: skip
    return [
        pole,
        wall.block((start, start + wide), (low, top), (0.07, 0.15), cloth, 0.03),
        wall.block((end - wide, end), (low, top), (0.07, 0.15), cloth, 0.03),
    ]


def door(rng: np.random.Generator, wall: Wall, middle: float) -> tuple[list[Solid], Span]:
    """A panelled door with its frame, and the span of the wall that it needs."""
    leaf = (
        wood(rng) if rng.random() < 0.4 else solid_colour(pick(rng, ("e9e6df", "dcd8cf", "d3d6d4")))
    )
    frame = solid_colour("e9e6df")
    left, right, top = middle - 0.43, middle + 0.43, 2.03
    solids = [
        wall.block((left - 0.08, left), (0, top + 0.08), (0, 0.045), frame),
        wall.block((right, right + 0.08), (0, top + 0.08), (0, 0.045), frame),
        wall.block((left, right), (top, top + 0.08), (0, 0.045), frame),
        wall.block((left, right), (0.005, top), (0, 0.022), leaf, 0.006),
    ]
    for low, high in ((0.2, 0.9), (1.08, 1.88)):
        solids.append(
            wall.block((left + 0.13, right - 0.13), (low, high), (0.02, 0.034), leaf, 0.03)
        )
    x, z = wall.at(right - 0.07, 0.06)
    solids.append(ball((x, 1.0, z), (0.028, 0.028, 0.028), solid_colour("a89a78")))
    return solids, (left - 0.1, right + 0.1)


def skirting(wall: Wall, gaps: Sequence[Span]) -> list[Solid]:
    """A skirting board along the wall, with gaps at the doors."""
    white = solid_colour("e6e3dc")
    start, solids = 0.0, []
    for low, high in [*sorted(gaps), (wall.length, wall.length)]:
        if low > start:
            solids.append(wall.block((start, low), (0, 0.085), (0, 0.016), white, 0.006))
        start = high
    return solids


def pictures(rng: np.random.Generator, wall: Wall, free: Span) -> list[Solid]:
    """One to three framed prints in a row on a free span of the wall."""
    solids: list[Solid] = []
    half = min(rng.uniform(0.2, 0.38), (free[1] - free[0]) / 2 - 0.1)
    tall = half * rng.uniform(0.75, 1.3)
    gap = 2 * half + 0.12
    count = min(int(rng.integers(1, 4)), int((free[1] - free[0]) / gap))
    frame = wood(rng) if rng.random() < 0.5 else solid_colour(pick(rng, ("26272a", "e9e6df")))
    first = (free[0] + free[1]) / 2 - (count - 1) * gap / 2
    for number in range(count):
        paper, ink = PRINTS[int(rng.integers(len(PRINTS)))]
        print_ = Material(linear(paper), linear(ink), Pattern.picture, seed=int(rng.integers(1024)))
        x, y = first + number * gap, 1.58
        solids.append(wall.block((x - half, x + half), (y - tall, y + tall), (0, 0.025), frame))
        rim = 0.022
        solids.append(wall.block((x - half + rim, x + half - rim), (y - tall + rim, y + tall - rim),
                                 (0, 0.027), print_, 0.001))  # fmt: skip
    return solids
