"""A recipe, an identity and photographs for the tests of benchmarks/usefulness."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.usefulness import (
    identity,
    recipes_file,
    sets,
)

RECIPE = recipes_file.Recipe("one", "masks", "A recipe.", words=("depth=none",))

HERE = identity.Identity("pixels", "cpu", {"people": "a", "rgbd": "b"}, Path("nowhere"))


def people(count: int) -> list[sets.Picture]:
    """Blank pictures with names as those of Penn-Fudan."""
    blank = np.zeros((2, 2, 3), np.uint8)
    names = [f"PennPed{n:05d}" for n in range(1, count + 1)]
    return [
        sets.Picture("people", name, sets.block_of(name), blank, blank, blank) for name in names
    ]


def write_person(folder: Path, name: str, number: int = 0) -> None:
    """A red photograph [80, 80] with a person in the middle, a quarter of it."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    mask = np.zeros((80, 80), np.uint8)
    mask[20:60, 20:60] = 1
    image = np.zeros((80, 80, 3), np.uint8)
    image[...] = 10 + number, 30, 200
    image[mask > 0] = 250
    cv2.imwrite(str(folder / "images" / f"{name}.png"), image)
    cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)
