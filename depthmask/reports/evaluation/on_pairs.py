"""Scores of an estimator on RGB-D pairs: pictures with a depth map that is measured or exact."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from depthmask.data import DepthKind, Float32, UInt8
from depthmask.errors import UsageError
from depthmask.reports.evaluation.boundaries import (
    Boundaries,
    boundaries,
    can_find_edges,
    mean_boundaries,
)
from depthmask.reports.evaluation.metrics import (
    Scores,
    aligned,
    at_size,
    mean_scores,
    scores,
    valid,
)
from depthmask.stages.depth.base import Estimator
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.stages.source._folder import is_picture
from depthmask.untrusted import accents_alike, visible

_RGB = ".rgb"
_DEPTH = ".depth_mm"
_MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture and its true depth; image: uint8 [h, w, 3], depth_m: float32 [h, w]."""

    name: str
    image: UInt8
    depth_m: Float32


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one image, as estimated and after scaling, and those of its boundaries.

    plain: None if the depth of the estimator is not in metres.
    """

    name: str
    plain: Scores | None
    scaled: Scores
    edges: Boundaries


def evaluate_pairs(estimator: Estimator, folder: Path) -> list[Row]:
    """Score every pair in `folder`, over the pixels with a valid true depth."""
    return [_row(estimator, pair) for pair in pairs(folder)]


def pairs(folder: Path) -> Iterator[Pair]:
    """Read pairs: `NAME.rgb.jpg` and `NAME.depth_mm.png`, or `bg/NAME.jpg` and `bg_depth/NAME.png`.

    Pictures have any format of `source=assets`; depth files hold 16-bit millimetres, 0 = invalid.
    Other files are not read. Raises `UsageError` if there is no pair, a file of a pair is missing,
    or two files have one name.
    """
    if not folder.is_dir():
        raise UsageError(f"on={folder}: no such folder")
    files = list(_named_pairs(folder)) or list(_asset_pairs(folder))
    if not files:
        raise UsageError(
            f"on={folder} contains no pairs; it needs NAME.rgb.jpg and NAME.depth_mm.png, "
            "or bg/ and bg_depth/"
        )
    for name, rgb, depth in files:
        if name == _MEAN:
            raise UsageError(f"{rgb}: {_MEAN} is the name of the last row; rename the picture")
        picture = images.to_rgb(colours.load_picture(rgb))
        size = (picture.height, picture.width)
        yield Pair(name, np.asarray(picture), images.load_depth(depth, picture, size))


def _named_pairs(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    pictures, depths = _pictures(folder, _RGB), _pictures(folder, _DEPTH)
    for name in sorted({*pictures, *depths}):
        if name not in depths:
            accents = accents_alike(name, depths)
            raise UsageError(
                f"{pictures[name]}: the depth file {name}{_DEPTH}.png is missing{accents}"
            )
        if name not in pictures:
            raise UsageError(f"{depths[name]}: the picture {name}{_RGB}.jpg or .png is missing")
        yield name, pictures[name], depths[name]


def _asset_pairs(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """Yield the pairs of a folder of assets, of which some backgrounds may have no depth."""
    pictures = _pictures(folder / "bg")
    for name, depth in _pictures(folder / "bg_depth").items():
        if name not in pictures:
            raise UsageError(f"{depth}: bg/ has no picture named {name}")
        yield name, pictures[name], depth


def _pictures(folder: Path, ending: str = "") -> dict[str, Path]:
    """The pictures in a folder whose names have this ending before the suffix, by the rest."""
    pictures: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if is_picture(path) and path.stem.endswith(ending):
            other = pictures.setdefault(path.stem.removesuffix(ending), path)
            if other != path:
                raise UsageError(f"{path}: {other.name} has the same name; move one of them away")
    return pictures


def _row(estimator: Estimator, pair: Pair) -> Row:
    contract = estimator.contract(pair.depth_m.shape, None)
    kind = contract.kind if contract else DepthKind.relative
    (depth,) = estimator.estimate(pair.image[None])
    predicted = at_size(depth, pair.depth_m.shape)
    is_valid = valid(pair.depth_m) & valid(predicted, contract.invalid if contract else 0.0)
    if not is_valid.any():
        raise UsageError(f"{pair.name}: no pixel has a valid depth")
    estimated = predicted[is_valid].astype(np.float64)
    measured = pair.depth_m[is_valid].astype(np.float64)
    plain = scores(estimated, measured) if kind is DepthKind.metric_z else None
    fitted = aligned(estimated, measured, kind)
    scaled = np.zeros(predicted.shape)
    scaled[is_valid] = fitted
    edges = boundaries(scaled, pair.depth_m.astype(np.float64), is_valid)
    return Row(pair.name, plain, scores(fitted, measured), edges)


def _mean(rows: list[Row]) -> Row:
    plain = [row.plain for row in rows if row.plain is not None]
    return Row(
        _MEAN,
        mean_scores(plain) if plain else None,
        mean_scores([row.scaled for row in rows]),
        mean_boundaries([row.edges for row in rows]),
    )


def table(rows: list[Row]) -> str:
    """A line for each image: scores as estimated, after scaling, both in metres, of boundaries."""
    names = ["rmse [m]" if field.name == "rmse" else field.name for field in fields(Scores)]
    rows = [*rows, _mean(rows)]
    width = max(len(visible(row.name)) for row in rows) + 2
    head = f"{'':<{width}}{'as estimated':<{9 * len(names)}}  {'after scaling':<{9 * len(names)}}"
    columns = "".join(f"{name:>9}" for name in names)
    lines = [
        f"{head}  boundaries",
        f"{'image':<{width}}{columns}  {columns}  {'f1':>9}{'off [px]':>9}{'miss [px]':>10}",
    ]
    for row in rows:
        plain = _numbers(row.plain) if row.plain else f"{'-':>9}" * len(names)
        scored = f"{plain}  {_numbers(row.scaled)}  {_edge_numbers(row.edges)}"
        lines.append(f"{visible(row.name):<{width}}{scored}")
    if not can_find_edges():
        lines.append("off and miss need scikit-image: pip install 'depthmask[evaluate]'")
    return "\n".join(lines)


def _edge_numbers(edges: Boundaries) -> str:
    cells = (
        "-" if math.isnan(value) else f"{value:.{digits}f}"
        for value, digits in zip(edges, (3, 1, 1), strict=True)
    )
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, (9, 9, 10), strict=True))


def _numbers(scores: Scores) -> str:
    return "".join(f"{value:>9.3f}" for value in asdict(scores).values())


def as_json(rows: list[Row]) -> dict[str, Any]:
    """The scores of each image, and their mean, as JSON values."""
    return {
        row.name: {
            "plain": row.plain and without_nan(asdict(row.plain)),
            "scaled": without_nan(asdict(row.scaled)),
            "boundaries": without_nan(row.edges._asdict()),
        }
        for row in [*rows, _mean(rows)]
    }


def without_nan(values: dict[str, float]) -> dict[str, float | None]:
    """The values, with None in place of NaN, which JSON does not have."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}
