"""Cabinets and shelves. All stand on y = 0 around (0, 0, 0) and face -z."""

from __future__ import annotations

import numpy as np

from depthmask.kernels.patterns import Pattern
from depthmask.stages.source._rooms.material import (
    Material,
    joinery,
    linear,
    metal,
    pick,
    scaled,
    solid_colour,
    wood,
)
from depthmask.stages.source._rooms.solids import Solid, ball, box, tube

BINDINGS = (("7a3b32", "d9c7a0"), ("2f4858", "c9d0d2"), ("4c5a3c", "e2d6bd"), ("8a6a3a", "394050"))


def cabinet(rng: np.random.Generator) -> list[Solid]:
    """A sideboard with doors and drawers on short legs."""
    half, high = rng.uniform(0.5, 0.85), rng.uniform(0.7, 0.9)
    return _fronted(rng, half, 0.21, high, columns=int(rng.integers(2, 4)), drawers=3)


def dresser(rng: np.random.Generator) -> list[Solid]:
    """A chest of three or four drawers."""
    rows = int(rng.integers(3, 5))
    return _fronted(rng, rng.uniform(0.38, 0.5), 0.23, 0.24 * rows + 0.12, 1, rows)


def nightstand(rng: np.random.Generator) -> list[Solid]:
    """A small chest beside a bed."""
    return _fronted(rng, rng.uniform(0.2, 0.25), 0.2, rng.uniform(0.46, 0.56), 1, 2)


def wardrobe(rng: np.random.Generator) -> list[Solid]:
    """A tall cupboard with doors."""
    return _fronted(rng, rng.uniform(0.45, 0.75), 0.29, rng.uniform(1.85, 2.1), 2, 1)


def _fronted(
    rng: np.random.Generator, half: float, deep: float, high: float, columns: int, drawers: int
) -> list[Solid]:
    """A cabinet with fronts in columns: every other column has `drawers`, the others one door."""
    body, knob = joinery(rng), metal(rng)
    front = body if rng.random() < 0.65 else joinery(rng)
    foot = rng.uniform(0.05, 0.14)
    solids = [box((-half, half), (foot, high), (-deep, deep), body)]
    for x in (-half + 0.06, half - 0.06):
        for z in (-deep + 0.05, deep - 0.05):
            solids.append(tube((x, z), (0, foot), 0.016, knob, 1.3))
    each = 2 * (half - 0.015) / columns
    for column in range(columns):
        left = -half + 0.015 + column * each
        rows = drawers if column % 2 == 0 else 1
        across, up = (left + 0.005, left + each - 0.005), (foot + 0.015, high - 0.03)
        solids += _drawers(across, up, deep, rows, front, knob)
    return solids


def _drawers(
    x: tuple[float, float],
    y: tuple[float, float],
    deep: float,
    count: int,
    front: Material,
    knob: Material,
) -> list[Solid]:
    """`count` drawers above each other; one alone is a door."""
    solids: list[Solid] = []
    step = (y[1] - y[0]) / count
    for row in range(count):
        low, top = y[0] + row * step + 0.005, y[0] + (row + 1) * step - 0.005
        solids.append(box(x, (low, top), (-deep - 0.018, -deep), front, 0.008))
        if count == 1:
            solids.append(box((x[1] - 0.05, x[1] - 0.038), (top - 0.2 - 0.1 * (top > 1), top - 0.1),
                              (-deep - 0.035, -deep - 0.018), knob))  # fmt: skip
        else:
            middle, height = (x[0] + x[1]) / 2, (low + top) / 2
            solids.append(ball((middle, height, -deep - 0.03), (0.016, 0.016, 0.016), knob))
    return solids


def bookshelf(rng: np.random.Generator) -> list[Solid]:
    """An open shelf with rows of books and a few things between."""
    body = joinery(rng)
    half, deep = rng.uniform(0.38, 0.55), 0.15
    rows = int(rng.integers(4, 7))
    step = rng.uniform(0.31, 0.36)
    high = rows * step + 0.08
    dark = Material(
        scaled(body.colour, 0.7), scaled(body.second, 0.7), body.pattern, seed=body.seed
    )
    solids = [box((-half, half), (0, high), (deep - 0.02, deep), dark)]
    for x in (-half, half - 0.025):
        solids.append(box((x, x + 0.025), (0, high), (-deep, deep), body, 0.004))
    for row in range(rows + 1):
        y = 0.05 + row * step
        solids.append(box((-half, half), (y, y + 0.025), (-deep, deep), body, 0.004))
        if row < rows:
            solids += _row(rng, half - 0.04, y + 0.025, step - 0.025, deep)
    return solids


def _row(rng: np.random.Generator, half: float, y: float, room: float, deep: float) -> list[Solid]:
    """Books and other things on a shelf. room: the height above the shelf."""
    solids: list[Solid] = []
    x = -half
    while x < half - 0.1:
        width = min(rng.uniform(0.14, 0.36), half - x)
        draw = rng.random()
        if draw < 0.72:
            top = y + room * rng.uniform(0.62, 0.9)
            names = BINDINGS[int(rng.integers(len(BINDINGS)))]
            spines = Material(linear(names[0]), linear(names[1]), Pattern.books, 0.032,
                              seed=int(rng.integers(1024)))  # fmt: skip
            solids.append(box((x, x + width), (y, top), (-deep + 0.04, deep - 0.03), spines, 0.003))
        elif draw < 0.86:
            clay = solid_colour(pick(rng, ("a9634a", "d9d2c4", "3a4248", "7d8f88", "b99b6b")))
            size = room * rng.uniform(0.22, 0.32)
            solids.append(ball((x + width / 2, y + size, 0), (size * 0.7, size, size * 0.7), clay))
        x += width + 0.012
    return solids


def television(rng: np.random.Generator) -> list[Solid]:
    """A wide screen on a low board."""
    body, half = wood(rng), rng.uniform(0.6, 0.85)
    board = _fronted(rng, half, 0.2, 0.48, 3, 1)
    screen = rng.uniform(0.42, 0.62)
    dark = solid_colour("17181a")
    return [
        *board,
        box((-0.2, 0.2), (0.48, 0.495), (-0.08, 0.1), body),
        box((-0.03, 0.03), (0.48, 0.6), (0.0, 0.03), dark),
        box((-screen, screen), (0.54, 0.54 + screen * 1.12), (-0.01, 0.03), dark, 0.006),
        box((-screen + 0.012, screen - 0.012), (0.552, 0.528 + screen * 1.12), (-0.013, 0.0),
            solid_colour("2a3038"), 0.002),
    ]  # fmt: skip


def crate(rng: np.random.Generator) -> list[Solid]:
    """A cardboard box, closed with tape."""
    card, tape = solid_colour(pick(rng, ("b58a5c", "c39a6b", "a87e52"))), solid_colour("d8c39a")
    half, deep, high = rng.uniform(0.2, 0.32), rng.uniform(0.18, 0.26), rng.uniform(0.25, 0.42)
    over, label = (-half - 0.001, half + 0.001), (-half + 0.07, -half + 0.17)
    return [
        box((-half, half), (0, high), (-deep, deep), card, 0.006),
        box(over, (high - 0.1, high + 0.001), (-0.028, 0.028), tape, 0.001),
        box(label, (0.06, 0.12), (-deep - 0.001, -deep), solid_colour("7c5c3a"), 0.001),
    ]


def suitcase(rng: np.random.Generator) -> list[Solid]:
    """A trolley case with its handle out."""
    shell = solid_colour(pick(rng, ("3a5a78", "8f3b3b", "2f3336", "b8964f", "5d7f73", "b9bcc0")))
    dark = solid_colour("2b2b2c")
    half, deep, high = rng.uniform(0.2, 0.24), 0.12, rng.uniform(0.55, 0.66)
    solids = [box((-half, half), (0.05, high), (-deep, deep), shell, 0.05)]
    solids += [
        tube((x, z), (0, 0.055), 0.024, dark)
        for x in (-half + 0.05, half - 0.05)
        for z in (-deep + 0.04, deep - 0.04)
    ]
    for x in (-half * 0.6, -half * 0.2, half * 0.2, half * 0.6):
        solids.append(
            box((x - 0.012, x + 0.012), (0.1, high - 0.05), (-deep - 0.008, -deep), shell)
        )
    for x in (-0.09, 0.09):
        solids.append(tube((x, deep - 0.03), (high, high + 0.34), 0.008, solid_colour("a5a7a9")))
    solids.append(
        box((-0.11, 0.11), (high + 0.32, high + 0.355), (deep - 0.045, deep - 0.015), dark)
    )
    return solids
