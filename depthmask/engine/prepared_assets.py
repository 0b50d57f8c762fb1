"""Writes prepared assets as files, to inspect them, to correct them, or to use them elsewhere."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
from PIL import Image

from depthmask.codec.sample import to_millimetres
from depthmask.compose.stored_assets import stored_background, stored_foreground
from depthmask.data import AssetCatalogue, Background, Foreground, Size
from depthmask.stages.source.base import Source

_COLUMNS = ("key", "label", "height_m", "f_px", "meta")


def write_prepared(
    source: Source,
    catalogue: AssetCatalogue,
    size: Size,
    folder: Path,
    advance: Callable[[int], None],
) -> None:
    """Write `bg/`, `fg/`, `fg_mask/`, `bg_depth/` and `assets.csv` for a canvas of `size`.

    PNG, so that `source=assets` with `foreground_scale=null` reads the same pixels again. Names
    are the keys: a cut-out and its mask have the same name. Licences are not written. advance:
    called with the number of assets that are done.
    """
    rows: list[tuple[str, str, float | None, float | None, str]] = []
    for key in catalogue.backgrounds:
        background = stored_background(source, key, size)
        _save(background.image, folder / "bg", key)
        if background.depth_m is not None:
            _save(to_millimetres(background.depth_m), folder / "bg_depth", key)
        f_px = None if background.camera is None else background.camera.f_px
        meta = _meta_text(background)
        if f_px is not None or meta:
            rows.append((key, "", None, f_px, meta))
        advance(1)
    for key in catalogue.foregrounds:
        foreground = stored_foreground(source, key, size)
        _save(foreground.rgba, folder / "fg", key)
        _save(foreground.rgba[..., 3], folder / "fg_mask", key)
        rows.append((key, foreground.label, foreground.height_m, None, _meta_text(foreground)))
        advance(1)
    columns = len(_COLUMNS) if any(meta for *_, meta in rows) else len(_COLUMNS) - 1
    with (folder / "assets.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS[:columns])
        table.writerows(row[:columns] for row in rows)


def _meta_text(asset: Background | Foreground) -> str:
    """The metadata of an asset as JSON; empty without any."""
    return "" if asset.meta is None else orjson.dumps(asset.meta).decode()


def _save(pixels: np.ndarray, folder: Path, key: str) -> None:
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / f"{key}.png")
