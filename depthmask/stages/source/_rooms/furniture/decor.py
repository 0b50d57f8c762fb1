"""Lamps, plants and people. All stand on y = 0 around (0, 0, 0) and face -z."""

from __future__ import annotations

import math

import numpy as np

from depthmask.kernels.patterns import Pattern
from depthmask.stages.source._rooms.angles import cosine, sine
from depthmask.stages.source._rooms.material import (
    Material,
    linear,
    metal,
    pick,
    scaled,
    solid_colour,
    wood,
)
from depthmask.stages.source._rooms.solids import Shape, Solid, ball, rod, tube, turned


def floor_lamp(rng: np.random.Generator) -> list[Solid]:
    """A standing lamp with a cloth shade, on a pole or three legs."""
    pole = metal(rng) if rng.random() < 0.6 else wood(rng)
    cloth = linear(pick(rng, ("efe4cf", "e8dfd2", "d9c7a5", "c9cdc9")))
    shade = Material(cloth, cloth, glow=rng.uniform(0.5, 0.9))
    top, radius = rng.uniform(1.45, 1.7), rng.uniform(0.17, 0.23)
    drop = rng.uniform(0.22, 0.32)
    if rng.random() < 0.45:
        legs = [
            rod((0.27 * cosine(a), 0, 0.27 * sine(a)), (0, top - drop - 0.1, 0), 0.016, pole)
            for a in (0.4, 2.5, 4.6)
        ]
    else:
        legs = [
            tube((0, 0), (0, 0.025), 0.14, pole, 0.95),
            tube((0, 0), (0, top - 0.1), 0.011, pole),
        ]
    return [*legs, tube((0, 0), (top - drop, top), radius, shade, rng.uniform(0.6, 1.0))]


def plant(rng: np.random.Generator) -> list[Solid]:
    """A potted plant: long arching leaves, or a small tree."""
    clay = solid_colour(pick(rng, ("a9634a", "d9d2c4", "e6e3db", "4a4d50", "7d8f88")))
    high, wide = rng.uniform(0.24, 0.36), rng.uniform(0.13, 0.19)
    pot = [
        tube((0, 0), (0, high), wide * 0.75, clay, 1 / 0.75),
        tube((0, 0), (high - 0.04, high), wide * 1.06, clay),
        tube((0, 0), (high, high + 0.004), wide * 0.95, solid_colour("3d2f25")),
    ]
    green = linear(pick(rng, ("4f7a3f", "3f6a3c", "6a8a48", "2f5a38", "587f52")))
    leaf = Material(green, scaled(green, 0.55), Pattern.leaves, seed=int(rng.integers(1024)))
    return pot + (_arching(rng, high, leaf) if rng.random() < 0.55 else _tree(rng, high, leaf))


def _arching(rng: np.random.Generator, high: float, leaf: Material) -> list[Solid]:
    """Stems that lean out in all directions, each with a broad leaf at its end."""
    solids: list[Solid] = []
    stem = Material(scaled(leaf.colour, 0.8), leaf.colour)
    count = int(rng.integers(11, 17))
    for number in range(count):
        around = number * 2.399963 + rng.uniform(-0.3, 0.3)
        out = rng.uniform(0.12, 0.3)
        up = high + rng.uniform(0.25, 0.75) * (1.1 - out)
        x, z = out * cosine(around), out * sine(around)
        solids.append(rod((x * 0.15, high, z * 0.15), (x, up, z), 0.007, stem, 0.7))
        length = rng.uniform(0.12, 0.19)
        blade = ball((0, 0, 0), (length, 0.012, length * 0.5), leaf)
        blade = turned(turned(blade, 2, rng.uniform(-0.7, 0.35)), 1, -around)
        solids.append(_moved(blade, (x * 1.35, up + 0.01, z * 1.35)))
    return solids


def _tree(rng: np.random.Generator, high: float, leaf: Material) -> list[Solid]:
    """A thin trunk and a crown of small leaves."""
    top = rng.uniform(1.1, 1.55)
    trunk = rod((0, high, 0), (0.03, top - 0.2, 0.0), 0.02, solid_colour("6b5540"), 0.6)
    solids = [trunk]
    low = high + 0.2
    for number in range(34):
        fraction = rng.random()
        y = low + (top - low) * fraction
        wide = 0.3 * (1.1 - 0.75 * abs(fraction - 0.45) * 1.6)
        around = number * 2.399963
        out = wide * math.sqrt(rng.random())
        blade = ball((0, 0, 0), (rng.uniform(0.09, 0.13), 0.012, 0.05), leaf)
        blade = turned(turned(blade, 2, rng.uniform(-0.9, 0.3)), 1, -around)
        solids.append(_moved(blade, (out * cosine(around), y, out * sine(around))))
    return solids


def _moved(solid: Solid, at: tuple[float, float, float]) -> Solid:
    """The solid, moved by `at`."""
    return Solid(solid.shape, solid.centre + np.array(at), solid.axes, solid.material)


def person(rng: np.random.Generator) -> list[Solid]:
    """A standing figure, in the manner of an architect's model."""
    size = rng.uniform(1.6, 1.88) / 1.76
    skin = solid_colour(pick(rng, ("e0b494", "c6906c", "9a6646", "6e452e", "edc8ac")))
    hair = solid_colour(pick(rng, ("2a211c", "4a3424", "7a5a3a", "a98f63", "6d6a68")))
    shirt = Material(*(linear(pick(rng, SHIRTS)),) * 2)
    trousers = Material(*(linear(pick(rng, TROUSERS)),) * 2)
    shoe = solid_colour(pick(rng, ("2b2623", "6b4a32", "d9d6cf")))
    step = rng.uniform(-0.09, 0.09)
    solids = _legs(trousers, shoe, step) + _torso(shirt, trousers) + _head(rng, skin, hair)
    for side in (-1, 1):
        solids += _arm(side, shirt, skin, -step * side, rng.uniform(0.0, 0.05))
    return [Solid(s.shape, s.centre * size, s.axes * size, s.material, s.taper, s.bevel)
            for s in solids]  # fmt: skip


SHIRTS = ("6b7f95", "8c4a44", "d8d3c8", "4a5a4c", "c39a52", "3a4150", "a7adb0", "7a6288")
TROUSERS = ("2f3a4c", "3b3a3a", "6d6454", "8a8478", "25303a")


def _legs(cloth: Material, shoe: Material, step: float) -> list[Solid]:
    solids = []
    for side in (-1, 1):
        z = step * side
        solids += [
            rod((side * 0.1, 0.05, z), (side * 0.095, 0.5, z * 0.4), 0.05, cloth, 1.3),
            rod((side * 0.095, 0.48, z * 0.4), (side * 0.088, 0.93, 0), 0.066, cloth, 1.4),
            ball((side * 0.105, 0.045, z - 0.05), (0.048, 0.045, 0.13), shoe),
        ]
    return solids


def _torso(shirt: Material, trousers: Material) -> list[Solid]:
    return [
        ball((0, 0.94, 0), (0.18, 0.13, 0.125), trousers),
        Solid(Shape.round, np.array([0, 1.15, 0]), np.diag([0.15, 0.24, 0.108]), shirt, 1.22),
        ball((0, 1.39, 0), (0.183, 0.07, 0.131), shirt),
        ball((0, 0.92, 0), (0.155, 0.05, 0.11), shirt),
    ]


def _head(rng: np.random.Generator, skin: Material, hair: Material) -> list[Solid]:
    solids = [
        tube((0, 0.01), (1.44, 1.56), 0.05, skin),
        ball((0, 1.64, -0.005), (0.078, 0.115, 0.095), skin),
        ball((0, 1.68, 0.022), (0.086, 0.092, 0.098), hair),
        ball((0, 1.625, -0.1), (0.014, 0.022, 0.014), skin),
    ]
    if rng.random() < 0.45:
        solids.append(ball((0, 1.56, 0.06), (0.092, 0.16, 0.062), hair))
    return solids


def _arm(side: int, shirt: Material, skin: Material, swing: float, out: float) -> list[Solid]:
    shoulder = (side * 0.178, 1.385, 0.01)
    elbow = (side * (0.25 + out), 1.12, 0.03 + swing * 0.5)
    hand = (side * (0.26 + out), 0.88, -0.05 + swing)
    return [
        ball(shoulder, (0.054, 0.06, 0.06), shirt),
        rod(shoulder, elbow, 0.052, shirt, 0.82),
        ball(elbow, (0.044, 0.044, 0.044), shirt),
        rod(elbow, hand, 0.042, shirt, 0.78),
        ball((hand[0], hand[1] - 0.05, hand[2]), (0.03, 0.075, 0.042), skin),
    ]
