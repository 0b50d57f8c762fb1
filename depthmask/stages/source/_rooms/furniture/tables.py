"""Tables and desks. All stand on y = 0 around (0, 0, 0) and face -z."""

from __future__ import annotations

import numpy as np

from depthmask.stages.source._rooms.material import Material, metal, solid_colour, wood
from depthmask.stages.source._rooms.solids import Solid, ball, box, rod, tube, turned


def table(rng: np.random.Generator) -> list[Solid]:
    """A dining table: rectangular on four legs, or round on one."""
    if rng.random() < 0.35:
        return _round_table(rng, rng.uniform(0.42, 0.58), 0.74)
    top = wood(rng)
    leg = top if rng.random() < 0.6 else metal(rng)
    return _four_legged(top, leg, rng.uniform(0.6, 0.85), rng.uniform(0.36, 0.45), 0.75, 0.03)


def coffee_table(rng: np.random.Generator) -> list[Solid]:
    """A low table, sometimes with a shelf or with objects on it."""
    high = rng.uniform(0.36, 0.46)
    if rng.random() < 0.35:
        return _round_table(rng, rng.uniform(0.32, 0.42), high)
    top, half, deep = wood(rng), rng.uniform(0.42, 0.58), rng.uniform(0.25, 0.32)
    solids = _four_legged(top, top, half, deep, high, 0.025)
    if rng.random() < 0.5:
        solids.append(
            box((-half + 0.06, half - 0.06), (0.13, 0.15), (-deep + 0.05, deep - 0.05), top)
        )
    return solids


def _four_legged(
    top: Material, leg: Material, half: float, deep: float, high: float, thick: float
) -> list[Solid]:
    solids = [box((-half, half), (high - thick, high), (-deep, deep), top)]
    for x in (-half + 0.07, half - 0.07):
        for z in (-deep + 0.07, deep - 0.07):
            solids.append(
                box((x - thick, x + thick), (0, high - thick), (z - thick, z + thick), leg)
            )
    rail = (high - thick - 0.08, high - thick)
    for z in (-deep + 0.07, deep - 0.07):
        solids.append(box((-half + 0.07, half - 0.07), rail, (z - 0.012, z + 0.012), leg))
    for x in (-half + 0.07, half - 0.07):
        solids.append(box((x - 0.012, x + 0.012), rail, (-deep + 0.07, deep - 0.07), leg))
    return solids


def _round_table(rng: np.random.Generator, radius: float, high: float) -> list[Solid]:
    top = wood(rng)
    base = top if rng.random() < 0.5 else metal(rng)
    return [
        tube((0, 0), (0, 0.025), radius * 0.55, base, 0.9),
        tube((0, 0), (0.02, high - 0.02), 0.045, base, 0.8),
        tube((0, 0), (high - 0.05, high - 0.03), 0.1, base, 1.8),
        tube((0, 0), (high - 0.03, high), radius, top),
    ]


def desk(rng: np.random.Generator) -> list[Solid]:
    """A desk with drawers at one side, and a screen or a lamp on it."""
    top, half, deep, high = wood(rng), rng.uniform(0.55, 0.72), rng.uniform(0.28, 0.34), 0.74
    body = solid_colour("e6e3db") if rng.random() < 0.5 else top
    side = -1 if rng.random() < 0.5 else 1
    solids = [box((-half, half), (high - 0.03, high), (-deep, deep), top)]
    inner, outer = side * (half - 0.4), side * (half - 0.02)
    x = (min(inner, outer), max(inner, outer))
    solids.append(box(x, (0.04, high - 0.03), (-deep + 0.03, deep - 0.02), body))
    for low in (0.06, 0.28, 0.5):
        face = box(
            (x[0] + 0.015, x[1] - 0.015), (low, low + 0.195), (-deep + 0.015, -deep + 0.04), body
        )
        middle = (x[0] + x[1]) / 2
        knob = box((middle - 0.05, middle + 0.05), (low + 0.13, low + 0.142),
                   (-deep - 0.005, -deep + 0.02), solid_colour("4a4844"))  # fmt: skip
        solids += [face, knob]
    for z in (-deep + 0.05, deep - 0.05):
        at = -side * (half - 0.05)
        solids.append(box((at - 0.025, at + 0.025), (0, high - 0.03), (z - 0.025, z + 0.025), body))
    return solids + (_screen(high) if rng.random() < 0.6 else _books_and_lamp(rng, high, half))


def _screen(high: float) -> list[Solid]:
    dark, panel = solid_colour("26272a"), solid_colour("3b4654")
    return [
        box((-0.12, 0.12), (high, high + 0.012), (0.02, 0.18), dark),
        box((-0.02, 0.02), (high, high + 0.16), (0.1, 0.12), dark),
        box((-0.29, 0.29), (high + 0.1, high + 0.45), (0.07, 0.1), dark),
        box((-0.275, 0.275), (high + 0.115, high + 0.435), (0.066, 0.075), panel, 0.002),
    ]


def _books_and_lamp(rng: np.random.Generator, high: float, half: float) -> list[Solid]:
    shade = metal(rng)
    x = -half * 0.55
    books = [
        box((half * 0.2, half * 0.2 + 0.24 - 0.02 * k), (high + 0.035 * k, high + 0.035 * (k + 1)),
            (-0.08, 0.1), solid_colour(name))
        for k, name in enumerate(("8c4a3c", "3f5a6e", "c8b27a"))
    ]  # fmt: skip
    return [
        *books,
        tube((x, 0.1), (high, high + 0.015), 0.08, shade),
        rod((x, high, 0.1), (x - 0.05, high + 0.34, 0.12), 0.008, shade),
        rod((x - 0.05, high + 0.34, 0.12), (x + 0.1, high + 0.42, 0.0), 0.008, shade),
        turned(tube((x + 0.12, -0.02), (high + 0.33, high + 0.43), 0.085, shade, 0.45), 2, 0.4),
    ]


def vase(rng: np.random.Generator) -> list[Solid]:
    """A floor vase with dry branches."""
    name = ("a9634a", "d9d2c4", "3a4248", "7d8f88", "b99b6b")[int(rng.integers(5))]
    clay, twig = solid_colour(name), solid_colour("7a6248")
    high, wide = rng.uniform(0.32, 0.5), rng.uniform(0.12, 0.17)
    solids = [
        tube((0, 0), (0, high * 0.45), wide * 0.65, clay, 1 / 0.65),
        tube((0, 0), (high * 0.45, high * 0.8), wide, clay, 0.5),
        tube((0, 0), (high * 0.8, high), wide * 0.5, clay, 1.25),
    ]
    for _ in range(int(rng.integers(5, 9))):
        x, z = rng.uniform(-0.24, 0.24, 2)
        tip = (float(x), high + rng.uniform(0.3, 0.6), float(z))
        solids.append(rod((0, high * 0.85, 0), tip, 0.006, twig, 0.5))
        solids.append(ball(tip, (0.022, 0.05, 0.022), solid_colour("c9b08a")))
    return solids
