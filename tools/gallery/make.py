"""Makes the pictures that `pictures.py` lists."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from PIL import Image

import depthmask
from depthmask.config.compose import compose_root
from depthmask.data import DepthContract, Sample
from depthmask.engine.virtual import Virtual
from depthmask.errors import DepthmaskError
from depthmask.reports.preview import colour_scale
from depthmask.stages.source.rooms import Rooms
from tools.gallery.panels import panel
from tools.gallery.photographed import Photographed
from tools.gallery.pictures import FOUR_ASSETS, GALLERY, PICTURES, Pair, Picture
from tools.gallery.sheet import DepthScale, sheet

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
_QUALITY = 88
_SAMPLES = "samples=1000"
"""Samples are made one at a time: their number costs nothing."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(PICTURES), metavar="NAME",
                        help="one of " + ", ".join(PICTURES))  # fmt: skip
    parser.add_argument("--into", type=Path, default=IMAGES, metavar="FOLDER")
    parser.add_argument("settings", nargs="*", help="such as source=assets source.root=DIR")
    options = parser.parse_args(arguments)
    options.into.mkdir(parents=True, exist_ok=True)
    names = options.only or (GALLERY if options.settings else PICTURES)
    made = [_write(name, options.settings, options.into) for name in names]
    if not all(made):
        sys.exit(1)


def _write(name: str, settings: Sequence[str], folder: Path) -> bool:
    """Write a picture; False if these settings cannot make it, which is printed."""
    path = folder / f"{name}.jpg"
    try:
        drawn(PICTURES[name], settings).save(path, quality=_QUALITY, optimize=True)
    except DepthmaskError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False
    print(path)
    return True


def drawn(picture: Picture | Pair, settings: Sequence[str] = ()) -> Image.Image:
    """The picture, with more settings at the end of its own."""
    if isinstance(picture, Picture):
        return _of_rows(picture, settings)
    return _of_pair(picture, settings)


def _of_rows(picture: Picture, settings: Sequence[str]) -> Image.Image:
    dataset = samples_of((*picture.settings, *settings), picture.faults)
    samples = [dataset[number] for number in picture.samples]
    rows = [row for row in picture.rows if dataset.contract or "depth" not in row]
    scale = _scale(samples, dataset.contract) if any("depth" in row for row in rows) else None
    panels = [[panel(sample, row, scale, picture.width) for sample in samples] for row in rows]
    return sheet(panels, rows, picture.column_heads, scale, picture.font_size)


def _of_pair(pair: Pair, settings: Sequence[str]) -> Image.Image:
    sides = (pair.wrong, pair.right)
    datasets = [samples_of((*pair.both, *side, *settings), pair.faults) for side in sides]
    panels = [
        [panel(dataset[number], row, None, pair.width) for dataset in datasets]
        for number in pair.samples
        for row in pair.rows
    ]
    return sheet(panels, column_heads=[" ".join(side) for side in sides])


def samples_of(settings: Sequence[str], faults: Mapping[str, Any]) -> Virtual:
    """The samples of such a run, without files."""
    if any(word.startswith("source=") for word in settings):
        settings = [word for word in settings if word not in FOUR_ASSETS]
    root = compose_root([_SAMPLES, *settings])
    if faults and type(root.source) is Rooms:
        own = {field.name: getattr(root.source, field.name) for field in fields(Rooms)}
        root = replace(root, source=Photographed(**own, **faults))
    return depthmask.virtual(root)


def _scale(samples: Sequence[Sample], contract: DepthContract | None) -> DepthScale:
    near, far = colour_scale(samples, contract)
    return DepthScale(near, far, contract.unit if contract else "")
