"""Contact sheets: which pictures they show, and the predictions that each run keeps for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.usefulness.runs import Run
from benchmarks.usefulness.sets import CHOOSING, Picture, part_of

SHOWN = 6
"""Pictures of each contact sheet, of as many scenes of the choosing half."""


def path_of(out: Path, run: Run) -> Path:
    """Where the predictions of a run are kept."""
    name = f"{run.recipe}-{run.photographs}-{run.number}{run.plant}-{run.short}"
    return out / "sheets" / run.task / f"{name}.npz"


def shown_of(pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures of a contact sheet: the first of each of SHOWN scenes, evenly chosen."""
    firsts: dict[str, Picture] = {}
    for picture in pictures:
        if part_of(picture.kind, picture.scene) == CHOOSING:
            firsts.setdefault(picture.scene, picture)
    every = np.linspace(0, len(firsts) - 1, min(SHOWN, len(firsts)))
    return [[*firsts.values()][round(float(i))] for i in every]


def keep(path: Path, pictures: Sequence[Picture], maps: NDArray[np.float32]) -> None:
    """Keep the predictions that are shown. maps: [n, h, w], of all pictures."""
    of_picture = {picture.key: map_ for picture, map_ in zip(pictures, maps, strict=True)}
    keys = [picture.key for picture in shown_of(pictures)]
    shown = np.array([of_picture[key] for key in keys], np.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        np.savez_compressed(file, keys=np.array(keys), maps=shown)
    os.replace(draft, path)


def kept(path: Path, pictures: Sequence[Picture]) -> NDArray[np.float32] | None:
    """The predictions [n, h, w] of these pictures; None if there are none, or of others."""
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        if "keys" not in arrays or arrays["keys"].tolist() != [p.key for p in pictures]:
            return None
        return np.asarray(arrays["maps"], np.float32)
