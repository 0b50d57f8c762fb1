"""The real photographs: read from a folder, made square, halved by the names of their scenes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthmask.reports.evaluation.on_pairs import pairs

SIDE = 160
CHOOSING, FINAL, POOL = "choosing", "final", "pool"
SHARES = {
    "rgbd": {POOL: 20, CHOOSING: 40, FINAL: 40},
    "people": {POOL: 30, CHOOSING: 35, FINAL: 35},
}
"""The percentages of each set's scenes. Photographs of the pool alone may be trained on."""
BLOCK = 8
"""Photographs of people are in the order in which they were taken: neighbours share a street."""


@dataclass(frozen=True)
class Picture:
    """A square photograph, RGB uint8 [SIDE, SIDE, 3], and its truth.

    truth: metres, float32, 0 = unknown; or a mask, bool. large: the same at 224 pixels. kind: the
    set that it is of.
    """

    kind: str
    name: str
    scene: str
    image: NDArray[np.uint8]
    large: NDArray[np.uint8]
    truth: NDArray[Any]

    @property
    def key(self) -> str:
        """Its name among the photographs of all sets."""
        return f"{self.kind}/{self.name}"


def scenes_of(sets: Mapping[str, Iterable[Picture]]) -> dict[str, str]:
    """The scene of each photograph of all sets, by its key."""
    return {p.key: f"{p.kind}/{p.scene}" for pictures in sets.values() for p in pictures}


def digest_of(pictures: Iterable[Picture]) -> str:
    """A hash of what is tested on: names, scenes, pixels and truth."""
    total = hashlib.sha256()
    for one in pictures:
        arrays = one.image, one.large, one.truth
        total.update(repr([one.key, one.scene, *((a.shape, a.dtype.str) for a in arrays)]).encode())
        for array in arrays:
            total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:12]


def block_of(name: str) -> str:
    """The scene of a photograph of people: BLOCK consecutive numbers after the same prefix."""
    numbered = re.fullmatch(r"(.*?)(\d+)", name)
    if "__" in name or numbered is None:
        return scene_of(name)
    first = int(numbered[2]) // BLOCK * BLOCK
    return f"{numbered[1]}{first}..{first + BLOCK - 1}"


def scene_of(name: str) -> str:
    """What stands before `__`, else the name without the number at its end."""
    scene, separator, _ = name.partition("__")
    return scene if separator else re.sub(r"[_-]?\d+$", "", name)


def part_of(kind: str, scene: str) -> str:
    """The part of a set that a scene is in: by a hash of its name, whatever else the set has."""
    number = int.from_bytes(hashlib.sha256(scene.encode()).digest()[:8]) % 100
    for part, share in SHARES[kind].items():
        if number < share:
            return part
        number -= share
    raise AssertionError("shares are 100 %")


def rgbd(folder: Path) -> list[Picture]:
    """Photographs with measured depth: NAME.rgb.jpg and NAME.depth_mm.png."""
    return [
        _picture("rgbd", pair.name, scene_of(pair.name), pair.image, pair.depth_m)
        for pair in pairs(folder)
    ]


def people(folder: Path) -> list[Picture]:
    """Photographs with masks: images/NAME.png, and masks/NAME.png, 0 beside the people."""
    pictures = []
    for path in sorted((folder / "images").glob("*.png")):
        image, mask = read_photograph(path)
        scene = block_of(path.stem)
        pictures.append(_picture("people", path.stem, scene, image, mask.astype(np.uint8)))
    return pictures


def read_photograph(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A photograph of people, RGB, and the number of the person at each pixel, 0 for none."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    mask = cv2.imread(str(path.parents[1] / "masks" / path.name), cv2.IMREAD_UNCHANGED)
    if image is None or mask is None or mask.shape != image.shape[:2]:
        raise SystemExit(f"{path}: it or its mask of the same size in masks/ cannot be read")
    return np.ascontiguousarray(image[..., ::-1]), mask.astype(np.uint8)


READERS: dict[str, Callable[[Path], list[Picture]]] = {"rgbd": rgbd, "people": people}


def read_set(data: Path, kind: str) -> list[Picture]:
    """The pictures of a set; none, with a line, where it is absent."""
    folder = data / kind
    pictures = READERS[kind](folder) if folder.is_dir() and any(folder.iterdir()) else []
    if not pictures:
        print(f"{folder}: absent, so nothing is tried on it (benchmarks/usefulness/README.md)")
    return pictures


def of_part(pictures: Iterable[Picture], kind: str, part: str) -> list[Picture]:
    """The pictures whose scenes are in this part."""
    return [picture for picture in pictures if part_of(kind, picture.scene) == part]


def middle(values: NDArray[Any]) -> NDArray[Any]:
    """The middle square of [h, w, ...], in its own pixels."""
    height, width = values.shape[:2]
    least = min(height, width)
    top, left = (height - least) // 2, (width - least) // 2
    return np.ascontiguousarray(values[top : top + least, left : left + least])


def square(values: NDArray[Any], side: int, nearest: bool = False) -> NDArray[Any]:
    """The middle square of [h, w, ...], at `side` pixels."""
    # INTER_NEAREST takes the upper left pixel, which moves truth against the picture.
    way = cv2.INTER_NEAREST_EXACT if nearest else cv2.INTER_AREA
    return cv2.resize(middle(values), (side, side), interpolation=way)


def _picture(kind: str, name: str, scene: str, image: NDArray[Any], truth: NDArray[Any]) -> Picture:
    small = square(truth, SIDE, nearest=True)
    if small.dtype == np.uint8:
        small = small > 0
    return Picture(kind, name, scene, square(image, SIDE), square(image, 224), small)
