"""The materials of surfaces and their usual colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np

from depthmask.kernels.patterns import Materials, Pattern

Colour: TypeAlias = tuple[float, float, float]
"""Linear red, green, blue; 1 is a perfect white surface."""


@dataclass(frozen=True, slots=True)
class Material:
    """A pattern between two colours; `patterns.py` computes it.

    scale: width of the pattern's unit (a plank, a tile, a stripe) in metres. glow: emitted light,
    as a multiple of the colour. seed: shifts the pattern.
    """

    colour: Colour
    second: Colour
    pattern: Pattern = Pattern.plain
    scale: float = 0.1
    glow: float = 0.0
    seed: int = 0


def table(materials: Sequence[Material]) -> Materials:
    """The materials as rows of numbers."""
    return Materials(
        np.array([m.pattern for m in materials], np.int32),
        np.array([m.seed for m in materials], np.int32),
        np.array([(*m.colour, *m.second, m.scale) for m in materials], np.float32),
    )


@cache
def linear(text: str) -> Colour:
    """The linear colour of `rrggbb`."""
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red * red, green * green, blue * blue


def scaled(colour: Colour, factor: float) -> Colour:
    """The colour, `factor` times as bright."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def solid_colour(text: str, glow: float = 0.0) -> Material:
    """A smooth material of one colour."""
    return Material(linear(text), linear(text), glow=glow)


def pick(rng: np.random.Generator, names: tuple[str, ...]) -> str:
    """A random one of `names`."""
    return names[int(rng.integers(len(names)))]


WOODS = ("c9a878", "b88d5e", "8a6242", "5e4030", "d8bf98", "a57c55", "3f3029")
PAINTS = ("ebe8e0", "d9d5cb", "7f8f8c", "46545c", "b9c2bb", "2f3336", "a9b7c0")
FABRICS = (
    "b9ad9a", "8d8f92", "3d4a5c", "5f6f57", "a9634a", "c19a4b",
    "3f6b70", "4a4a4d", "cfc6b6", "7b4b52", "6c7fa0", "9aa58c",
)  # fmt: skip
METALS = ("2b2b2c", "8f9193", "b79a63", "dcdcda")


def wood(rng: np.random.Generator, names: tuple[str, ...] = WOODS) -> Material:
    """Grained wood."""
    colour = linear(pick(rng, names))
    return Material(colour, scaled(colour, 0.62), Pattern.wood, seed=int(rng.integers(1024)))


def joinery(rng: np.random.Generator) -> Material:
    """The material of cupboards and shelves: wood or painted board."""
    return wood(rng) if rng.random() < 0.6 else solid_colour(pick(rng, PAINTS))


def fabric(rng: np.random.Generator) -> Material:
    """Upholstery."""
    colour = linear(pick(rng, FABRICS))
    return Material(colour, scaled(colour, 0.75), Pattern.fabric, seed=int(rng.integers(1024)))


def metal(rng: np.random.Generator) -> Material:
    """Painted or bare metal of legs, lamps and handles."""
    return solid_colour(pick(rng, METALS))
