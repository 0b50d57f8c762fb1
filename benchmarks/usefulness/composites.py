"""Training data: composites that depthmask makes by a recipe, and real photographs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import depthmask
from benchmarks.usefulness.identity import pixel_state, sources_state
from benchmarks.usefulness.lock import alone
from benchmarks.usefulness.recipes_file import SOURCES, Recipe
from benchmarks.usefulness.sets import SIDE, Picture, middle, read_photograph


@dataclass(frozen=True)
class Examples:
    """images uint8 [n, SIDE, SIDE, 3]; targets float32 [n, SIDE, SIDE]: metres, or alpha 0..1."""

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]

    @property
    def digest(self) -> str:
        """A hash of all pixels: the state that a run was made at."""
        total = hashlib.sha256(self.images.tobytes())
        total.update(self.targets.tobytes())
        return total.hexdigest()[:16]


class Workshop:
    """Makes datasets below `folder`, each once, from the sets in `data`."""

    def __init__(self, data: Path, folder: Path) -> None:
        self._data, self._folder = data.absolute(), folder.absolute()

    def lacks(self, recipe: Recipe) -> list[str]:
        """The folders that the recipe needs and the data does not have."""
        return [name for name in recipe.needs if not (self._data / name).is_dir()]

    def composites(
        self, recipe: Recipe, draw: Sequence[Picture], samples: int, seed: int
    ) -> Examples:
        """The composites of a recipe; draw: the photographs that it may use."""
        places = self._places(recipe, draw)
        words = [word.format_map(places) for word in recipe.words]
        words += [f"size=[{SIDE},{SIDE}]", f"samples={samples}", f"seed={seed}"]
        return _loaded(self._made(words, sources_state(self._data, recipe.sources)), recipe)

    def _places(self, recipe: Recipe, draw: Sequence[Picture]) -> dict[str, str]:
        places = {name: str(self._data / name) for name in SOURCES}
        if any("{rooms}" in word for word in recipe.words):
            words = ["prepare", "source=rooms", f"size=[{SIDE},{SIDE}]"]
            places["rooms"] = str(self._made(words))
        if draw:
            photographs = self._photographs(draw)
            places["photographs"] = str(photographs)
            places["annotations"] = str(photographs / "annotations.json")
        return places

    def _made(self, words: Sequence[str], sources: str = "") -> Path:
        """The folder that depthmask made by these words; one that is complete is not made again.

        Other pixels and other sources make other folders.
        """
        state = json.dumps([*words, pixel_state(), sources])
        name = hashlib.sha256(state.encode()).hexdigest()[:12]
        output, ready = self._folder / name, self._folder / f"{name}.made"
        with alone(self._folder / f"{name}.lock"):
            if not ready.is_file():
                _run([*words, "progress=none", f"output={output}"])
                ready.write_text(json.dumps(list(words)))
        return output

    def _photographs(self, draw: Sequence[Picture]) -> Path:
        """A folder with the middle squares of a draw's photographs, and their COCO file."""
        names = sorted(picture.name for picture in draw)
        state = json.dumps([names, sources_state(self._data, ["people"])])
        name = hashlib.sha256(state.encode()).hexdigest()[:12]
        folder = self._folder / f"photographs-{name}"
        with alone(self._folder / f"{folder.name}.lock"):
            if not (folder / "annotations.json").is_file():
                folder.mkdir(parents=True, exist_ok=True)
                _write_coco(folder, [self._data / "people" / "images" / f"{n}.png" for n in names])
        return folder


def real_examples(draw: Sequence[Picture]) -> Examples:
    """The photographs themselves."""
    return Examples(
        np.stack([picture.image for picture in draw]),
        np.stack([picture.truth.astype(np.float32) for picture in draw]),
    )


def joined(parts: Sequence[Examples]) -> Examples:
    """All examples of the parts; few photographs are repeated until they are half of the whole."""
    if len(parts) == 1:
        # Hundreds of megabytes are not copied.
        return parts[0]
    most = max(len(part.images) for part in parts)
    times = [max(1, round(most / len(part.images))) for part in parts]
    return Examples(
        np.concatenate(
            [np.tile(p.images, (t, 1, 1, 1)) for p, t in zip(parts, times, strict=True)]
        ),
        np.concatenate([np.tile(p.targets, (t, 1, 1)) for p, t in zip(parts, times, strict=True)]),
    )


def _run(words: Sequence[str]) -> None:
    command = [sys.executable, "-m", "benchmarks.usefulness.child", str(os.getpid()), *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or ["no reason"]
        raise SystemExit(f"depthmask {' '.join(words)}: {lines[-1]}")


def _loaded(folder: Path, recipe: Recipe) -> Examples:
    dataset = depthmask.open(folder)
    images = np.empty((len(dataset), SIDE, SIDE, 3), np.uint8)
    targets = np.empty((len(dataset), SIDE, SIDE), np.float32)
    for number, sample in enumerate(dataset):
        images[number] = sample.image
        if recipe.task == "masks":
            targets[number] = sample.mask.astype(np.float32) / 255
        elif sample.depth is None:
            raise SystemExit(f"{folder}: a recipe of depth needs depth=layered or an estimator")
        else:
            targets[number] = np.where(near_edge(sample.mask, recipe.rim), 0, sample.depth)
    return Examples(images, targets)


def near_edge(mask: NDArray[np.uint8], rim: int) -> NDArray[np.bool_]:
    """The pixels within `rim` of an edge of a cut-out, and those that it covers in part."""
    if not rim:
        return np.zeros(mask.shape, np.bool_)
    inside = (mask >= 128).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    is_edge = cv2.dilate(inside, kernel) != cv2.erode(inside, kernel)
    return np.asarray(is_edge | ((mask > 0) & (mask < 255)))


def _write_coco(folder: Path, paths: Sequence[Path]) -> None:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, path in enumerate(paths, 1):
        # Cut as those are that the network is tried on, and trained on beside the composites.
        image, mask = (middle(values) for values in read_photograph(path))
        height, width = mask.shape
        if not cv2.imwrite(str(folder / path.name), image[..., ::-1]):
            raise SystemExit(f"{folder / path.name}: it cannot be written")
        images.append({"id": number, "file_name": path.name, "height": height, "width": width})
        for person in np.unique(mask[mask > 0]):
            annotations.append(_annotation(len(annotations) + 1, number, mask == person))
    whole = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }
    draft = folder / "annotations.json.part"
    draft.write_text(json.dumps(whole))
    os.replace(draft, folder / "annotations.json")


def _annotation(number: int, image: int, mask: NDArray[np.bool_]) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    box = [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "area": int(mask.sum()),
        "bbox": box,
        "segmentation": {"size": list(mask.shape), "counts": run_lengths(mask)},
    }


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """COCO's run lengths of a mask, down its columns, the first of zeros."""
    flat = mask.T.ravel()
    bounds = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate([[0], bounds, [flat.size]])).tolist()
    return [0, *lengths] if flat[0] else lengths
