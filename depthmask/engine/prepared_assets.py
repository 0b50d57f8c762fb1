"""Writes prepared assets as files, to inspect them, to correct them, or to use them elsewhere."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import orjson
from PIL import Image

from depthmask.codec.sample import to_millimetres
from depthmask.compose.stored_assets import stored_background, stored_foreground
from depthmask.data import AssetCatalogue, Background, Foreground, Size
from depthmask.stages.source.base import Source

_COLUMNS = ("key", "label", "height_m", "f_px")
_FILLED_COLUMNS = ("split", "licence", "meta")
"""Columns that a table has only if a cell is filled."""
_FOLDERS = ("bg", "fg")
Row: TypeAlias = dict[str, object]
"""Column -> cell, of those that are filled."""


def write_prepared(
    source: Source,
    catalogue: AssetCatalogue,
    size: Size,
    folder: Path,
    advance: Callable[[int], None],
) -> int:
    """Write `bg/`, `fg/`, `fg_mask/`, `bg_depth/` and `assets.csv` for a canvas of `size`.

    PNG, so that `source=assets` with `foreground_scale=null` reads the same pixels again. Names
    are the keys: a cut-out and its mask have the same name. advance: called with the number of
    assets that are done. Returns how many instances of backgrounds have no place in these files.
    """
    rows: list[Row] = []
    lost = 0
    row_of = _RowOf(catalogue)
    for key in catalogue.backgrounds:
        background = stored_background(source, key, size)
        _save(background.image, folder / "bg", key)
        if background.depth_m is not None:
            _save(to_millimetres(background.depth_m), folder / "bg_depth", key)
        f_px = None if background.camera is None else background.camera.f_px
        row = row_of("bg", background, f_px=f_px)
        # Without a label, a row with the key alone says nothing.
        rows += [row] if len(row) > 1 else []
        lost += len(background.instances)
        advance(1)
    for key in catalogue.foregrounds:
        foreground = stored_foreground(source, key, size)
        _save(foreground.rgba, folder / "fg", key)
        _save(foreground.rgba[..., 3], folder / "fg_mask", key)
        rows.append(row_of("fg", foreground, label=foreground.label, height_m=foreground.height_m))
        advance(1)
    _write_table(folder / "assets.csv", rows)
    return lost


def _write_table(path: Path, rows: Sequence[Row]) -> None:
    filled = {column for row in rows for column in row}
    columns = [*_COLUMNS, *(one for one in _FILLED_COLUMNS if one in filled)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(rows)


class _RowOf:
    """Makes the row of an asset of a catalogue."""

    def __init__(self, catalogue: AssetCatalogue) -> None:
        self._in_both = set(catalogue.backgrounds) & set(catalogue.foregrounds)
        self._splits = dict(
            zip(_FOLDERS, (catalogue.background_splits, catalogue.foreground_splits), strict=True)
        )
        licences = (catalogue.background_licences, catalogue.foreground_licences)
        self._licences = dict(zip(_FOLDERS, licences, strict=True))

    def __call__(self, folder: str, asset: Background | Foreground, **cells: object) -> Row:
        """The row with these cells. folder: `bg` or `fg`."""
        key = asset.key
        row = {
            # A row with the key alone would be that of both.
            "key": f"{folder}/{key}" if key in self._in_both else key,
            **cells,
            "split": self._splits[folder].get(key),
            "licence": self._licences[folder].get(key),
            "meta": _meta_text(asset),
        }
        return {column: cell for column, cell in row.items() if cell not in (None, "")}


def _meta_text(asset: Background | Foreground) -> str:
    """The metadata of an asset as JSON; empty without any."""
    return "" if asset.meta is None else orjson.dumps(asset.meta).decode()


def _save(pixels: np.ndarray, folder: Path, key: str) -> None:
    path = folder / f"{key}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
