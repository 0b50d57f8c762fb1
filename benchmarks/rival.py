"""Scenes by vision-synthesis 0.1.0 (https://pypi.org/project/vision-synthesis/), in one process.

    python rival.py ASSETS COUNT

Runs with a Python that has vision-synthesis, and needs nothing of depthmask. Composes scenes of
480x640 with 1 to 4 objects, its soft edges, colour transfer and shadows, and writes what depthmask
writes in the same row: JPEG of quality 95, a PNG mask, and COCO. Assets are decoded before. Prints
samples a second and the share of pixels that objects cover, as JSON.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from vision_synthesis import (  # type: ignore[import-not-found]
    CocoExporter,
    PerspectivePlacementStrategy,
    SceneComposer,
)

SIZE = (480, 640)
LONG_SIDE = 0.75
"""Long side of a cut-out relative to the canvas's shorter side, before it is placed; then objects
cover as many pixels as depthmask's."""


def backgrounds(folder: Path) -> list[Any]:
    """The photographs at the size of the canvas, BGR."""
    height, width = SIZE
    pictures: list[Any] = [cv2.imread(str(path)) for path in sorted(folder.iterdir())]
    return [cv2.resize(picture, (width, height)) for picture in pictures]


def cut_outs(folder: Path) -> list[Any]:
    """The cut-outs, BGRA."""
    paths = sorted(folder.iterdir())
    return [_scaled(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) for path in paths]


def _scaled(picture: Any) -> Any:
    scale = LONG_SIDE * min(SIZE) / max(picture.shape[:2])
    return cv2.resize(picture, None, fx=scale, fy=scale)


def main() -> None:
    """Compose and write scenes; the first twenty are not counted."""
    assets, count = Path(sys.argv[1]), int(sys.argv[2])
    below, above = backgrounds(assets / "bg"), cut_outs(assets / "fg")
    composer = SceneComposer(canvas_size=SIZE[::-1])
    random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        _write(scenes(composer, below, above, 20), Path(folder))
        start = time.perf_counter()
        covered = _write(scenes(composer, below, above, count), Path(folder))
        print(json.dumps({"rate": count / (time.perf_counter() - start), "covered": covered}))


def scenes(composer: Any, below: list[Any], above: list[Any], count: int) -> Iterator[Any]:
    """Scenes with 1 to 4 objects."""
    place = PerspectivePlacementStrategy()
    for _ in range(count):
        chosen = random.choices(above, k=random.randint(1, 4))
        specs = [{"image": one, "label": "thing", "category_id": 1} for one in chosen]
        yield composer.compose(random.choice(below), specs, place)


def _write(composed: Iterator[Any], folder: Path) -> float:
    """Write scenes in groups; returns the mean share of covered pixels."""
    covered: list[float] = []
    while group := list(islice(composed, 50)):
        for scene in group:
            mask = scene.get_binary_semantic_mask()
            cv2.imwrite(str(folder / f"{len(covered)}.png"), mask)
            covered.append(np.count_nonzero(mask) / mask.size)
        CocoExporter(folder / str(len(covered))).export(group)
    return sum(covered) / len(covered)


if __name__ == "__main__":
    main()
