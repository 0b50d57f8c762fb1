"""Furniture to sit and lie on. All pieces stand on y = 0 around (0, 0, 0) and face -z."""

from __future__ import annotations

import numpy as np

from depthmask.stages.source._rooms.angles import cosine, sine
from depthmask.stages.source._rooms.material import (
    FABRICS,
    PAINTS,
    Material,
    fabric,
    linear,
    metal,
    pick,
    solid_colour,
    wood,
)
from depthmask.stages.source._rooms.solids import Solid, ball, box, rod, tube, turned


def chair(rng: np.random.Generator) -> list[Solid]:
    """A dining chair: four legs, a seat and one of three backs."""
    frame = wood(rng) if rng.random() < 0.75 else solid_colour(pick(rng, PAINTS))
    seat = fabric(rng) if rng.random() < 0.5 else frame
    half, deep, sit = rng.uniform(0.21, 0.24), rng.uniform(0.2, 0.23), rng.uniform(0.44, 0.47)
    top = rng.uniform(0.82, 0.98)
    solids = [
        rod((x * 1.06, 0, z * 1.06), (x * 0.92, sit - 0.02, z * 0.92), 0.014, frame, 1.5)
        for x in (-half, half)
        for z in (-deep, deep)
    ]
    solids.append(box((-half, half), (sit - 0.045, sit), (-deep, deep), seat, 0.02))
    back = [
        rod((x, sit - 0.04, deep - 0.02), (x, top, deep + 0.06), 0.019, frame, 0.8)
        for x in (-half + 0.02, half - 0.02)
    ]
    style = rng.integers(3)
    if style == 0:
        back += _slats(half, sit, top, deep, frame)
    elif style == 1:
        panel = box((-half, half), (sit + 0.16, top), (deep + 0.02, deep + 0.055), seat, 0.03)
        back.append(turned(panel, 0, 0.14))
    else:
        back += [
            rod((x, sit, deep - 0.02), (x, top - 0.03, deep + 0.05), 0.009, frame)
            for x in np.linspace(-half + 0.09, half - 0.09, 4)
        ]
        rail = box(
            (-half - 0.01, half + 0.01), (top - 0.07, top), (deep + 0.03, deep + 0.06), frame
        )
        back.append(turned(rail, 0, 0.14))
    return solids + back


def _slats(half: float, sit: float, top: float, deep: float, frame: Material) -> list[Solid]:
    solids = []
    for fraction in (0.35, 0.63, 0.92):
        y = sit + (top - sit) * fraction
        z = deep - 0.02 + 0.08 * fraction
        slat = box((-half, half), (y - 0.035, y + 0.035), (z - 0.01, z + 0.01), frame)
        solids.append(turned(slat, 0, 0.16))
    return solids


def stool(rng: np.random.Generator) -> list[Solid]:
    """A round stool with splayed legs, low or bar high."""
    frame = wood(rng) if rng.random() < 0.6 else metal(rng)
    seat = fabric(rng) if rng.random() < 0.5 else wood(rng)
    sit = rng.uniform(0.44, 0.48) if rng.random() < 0.6 else rng.uniform(0.62, 0.72)
    radius, foot_radius = rng.uniform(0.16, 0.19), 0.11 + 0.12 * sit
    turn = rng.uniform(0.2, 1.3)
    angles = [turn + k * np.pi / 2 for k in range(4)]
    around = [(cosine(angle), sine(angle)) for angle in angles]
    solids = [
        rod(
            (x * foot_radius, 0, z * foot_radius),
            (x * 0.1, sit - 0.02, z * 0.1),
            0.014,
            frame,
            1.2,
        )
        for x, z in around
    ]
    ring = 0.35 * sit
    at = foot_radius + (0.1 - foot_radius) * 0.35
    for (x, z), (x2, z2) in zip(around, around[1:] + around[:1], strict=True):
        solids.append(rod((x * at, ring, z * at), (x2 * at, ring, z2 * at), 0.009, frame))
    thick = rng.uniform(0.035, 0.07)
    solids.append(tube((0, 0), (sit - thick, sit - 0.006), radius, seat))
    solids.append(tube((0, 0), (sit - 0.006, sit), radius, seat, 0.93))
    return solids


def sofa(rng: np.random.Generator) -> list[Solid]:
    """Two or three seats between arms, with cushions."""
    return _upholstered(rng, seats=int(rng.integers(2, 4)))


def armchair(rng: np.random.Generator) -> list[Solid]:
    """One wide seat between arms."""
    return _upholstered(rng, seats=1)


def _upholstered(rng: np.random.Generator, seats: int) -> list[Solid]:
    """A sofa or an armchair, by its number of seats."""
    cloth, leg = fabric(rng), wood(rng)
    width = rng.uniform(0.62, 0.72) * seats
    arm, deep = rng.uniform(0.1, 0.19), rng.uniform(0.4, 0.46)
    foot, base, sit = rng.uniform(0.06, 0.16), rng.uniform(0.27, 0.31), rng.uniform(0.42, 0.46)
    top, armtop = rng.uniform(0.74, 0.9), rng.uniform(0.54, 0.64)
    half = width / 2
    solids = [
        tube((x, z), (0, foot), 0.018, leg, 1.4)
        for x in (-half - arm / 2, half + arm / 2)
        for z in (-deep + 0.07, deep - 0.07)
    ]
    solids.append(box((-half, half), (foot, base), (-deep + 0.03, deep), cloth, 0.02))
    for side in (-1, 1):
        x = sorted((side * half, side * (half + arm)))
        solids.append(box((x[0], x[1]), (foot, armtop), (-deep, deep), cloth, 0.05))
    solids.append(box((-half, half), (base, top - 0.05), (deep - 0.16, deep), cloth, 0.05))
    each = width / seats
    for number in range(seats):
        left, right = -half + number * each + 0.004, -half + (number + 1) * each - 0.004
        solids.append(box((left, right), (base, sit), (-deep - 0.02, deep - 0.15), cloth, 0.05))
        back = box((left, right), (sit - 0.02, top), (deep - 0.3, deep - 0.13), cloth, 0.07)
        solids.append(turned(back, 0, 0.12))
    return solids + _pillows(rng, half, deep, sit)


def _pillows(rng: np.random.Generator, half: float, deep: float, sit: float) -> list[Solid]:
    solids = []
    for side in (-1, 1):
        if rng.random() < 0.55:
            x = side * (half - 0.2) * rng.uniform(0.75, 1)
            pillow = box((x - 0.2, x + 0.2), (sit, sit + 0.36), (deep - 0.4, deep - 0.3),
                         fabric(rng), 0.09)  # fmt: skip
            pillow = turned(turned(pillow, 2, rng.uniform(-0.25, 0.25)), 0, 0.3)
            solids.append(turned(pillow, 1, side * -0.25))
    return solids


def bed(rng: np.random.Generator) -> list[Solid]:
    """A bed with headboard, duvet and pillows; the headboard is at +z."""
    frame, cover = wood(rng), fabric(rng)
    linen = solid_colour(pick(rng, ("e9e6df", "f0eee9", "d8dde2", "e6dccb")))
    half, deep = (rng.uniform(0.7, 0.9), 1.02)
    solids = [box((-half, half), (0.09, 0.3), (-deep, deep), frame)]
    solids += [
        box((x - 0.04, x + 0.04), (0, 0.1), (z - 0.04, z + 0.04), frame)
        for x in (-half + 0.08, half - 0.08)
        for z in (-deep + 0.08, deep - 0.08)
    ]
    head = rng.uniform(0.85, 1.1)
    board = cover if rng.random() < 0.4 else frame
    solids.append(box((-half - 0.03, half + 0.03), (0, head), (deep, deep + 0.07), board, 0.02))
    solids.append(box((-half + 0.02, half - 0.02), (0.3, 0.5), (-deep + 0.02, deep), linen, 0.06))
    fold = rng.uniform(0.1, 0.45)
    solids.append(box((-half - 0.02, half + 0.02), (0.2, 0.56), (-deep - 0.02, fold), cover, 0.08))
    solids.append(box((-half - 0.025, half + 0.025), (0.22, 0.568), (fold - 0.2, fold + 0.04),
                      linen, 0.05))  # fmt: skip
    for x in (-half / 2, half / 2):
        pillow = box((x - 0.31, x + 0.31), (0.5, 0.64), (deep - 0.5, deep - 0.08), linen, 0.12)
        solids.append(turned(pillow, 0, -0.3))
    return solids


def pouf(rng: np.random.Generator) -> list[Solid]:
    """A round upholstered footstool."""
    cloth = linear(pick(rng, FABRICS))
    material = Material(cloth, cloth)
    radius, top = rng.uniform(0.24, 0.3), rng.uniform(0.34, 0.42)
    return [
        tube((0, 0), (0, top * 0.8), radius * 0.96, material, 1 / 0.96),
        ball((0, top * 0.8, 0), (radius, top * 0.2, radius), material),
    ]
