"""The pictures of the docs: the settings and the samples that each one shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.gallery.sheet import FONT_SIZE

Settings = tuple[str, ...]
FOUR_ASSETS: Settings = ("source.rooms=2", "source.furniture=2", "source.seed=4", "size=[360,540]")
"""Two rooms, a chair and a plant."""
ON_THE_FLOOR: Settings = (
    *("placement=ground", "blend=feather", "blend.match=0.3", "blend.shadow=0.5"),
)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A row for each kind of pixels, a column for each sample.

    settings: what a command for these samples has after `python -m depthmask`. width: of a panel.
    faults: settings of `Photographed`, for cut-outs that are less good than rendered ones.
    """

    settings: Settings
    samples: tuple[int, ...] = (0, 1, 2, 3)
    width: int = 360
    font_size: int = FONT_SIZE
    column_heads: tuple[str, ...] = ()
    rows: tuple[str, ...] = ("image", "mask", "depth")
    faults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A column with what is wrong, a column with the same samples after a change of settings.

    wrong, right: the settings that differ, and the heads of the columns.
    """

    wrong: Settings
    right: Settings
    both: Settings
    samples: tuple[int, ...] = (0, 1)
    width: int = 600
    rows: tuple[str, ...] = ("image",)
    faults: Mapping[str, Any] = field(default_factory=dict)


def _placement(*settings: str, **more: Any) -> Picture:
    return Picture(settings=(*FOUR_ASSETS, "objects=2", *settings), **more)


def _on_the_floor(*settings: str, samples: tuple[int, ...] = (4, 5, 6, 7), **more: Any) -> Picture:
    return _placement("placement=ground", *settings, samples=samples, **more)


def _blend(*settings: str, **more: Any) -> Picture:
    faults = {"rim": 0.008, "light": 0.7}
    return _on_the_floor(*settings, rows=("image", "close-up"), faults=faults, **more)


def _layered(*settings: str) -> Picture:
    return _on_the_floor("depth=layered", *settings, rows=("image", "depth", "depth close-up"))


START = {
    "ground": Picture(
        settings=(*ON_THE_FLOOR, "objects=[2,4]", "size=[352,528]"),
        samples=(13, 52, 38),
        width=528,
        font_size=32,
    ),
    # One column, as high as those beside it.
    "random": Picture(
        settings=("placement=random", "size=[352,528]"), samples=(24,), width=528, font_size=28
    ),
}
GALLERY = {
    "gallery-random": _placement("placement=random"),
    "gallery-grid": _placement("placement=grid"),
    "gallery-ground": _on_the_floor(),
    "gallery-alpha": _blend("blend=alpha"),
    "gallery-feather": _blend("blend=feather"),
    "gallery-poisson": _blend("blend=poisson"),
    "gallery-several": _blend(
        "blend=several", samples=(0, 1, 2), column_heads=("alpha", "feather", "poisson")
    ),
    "gallery-match": _blend("blend=feather", "blend.match=0.3"),
    "gallery-shadow": _blend("blend=feather", "blend.match=0.3", "blend.shadow=0.6"),
    "gallery-layered": _layered(),
    "gallery-flat": _layered("depth.relief=false"),
    "gallery-fastdepth": _on_the_floor("depth=fastdepth", rows=("image", "depth")),
    "gallery-none": _on_the_floor("depth=none", rows=("image", "mask")),
}
TROUBLE = {
    "trouble-walls": Pair(
        wrong=("placement=random",),
        right=("placement=ground",),
        both=("size=[360,540]",),
        samples=(28, 21),
    ),
    "trouble-large": Pair(
        wrong=("placement.height_m=[0.4,1.8]",),
        right=("placement.heights={pouf:0.4,table:0.75}",),
        both=("placement=ground", "size=[360,540]"),
        samples=(1, 4),
        faults={"knows_heights": False},
    ),
    "trouble-float": Pair(
        wrong=("blend.shadow=0",),
        right=("blend.shadow=0.8",),
        both=("placement=ground", "size=[360,540]"),
        samples=(2, 24),
        rows=("close-up",),
    ),
    "trouble-halos": Pair(
        wrong=("blend=alpha",),
        right=("blend=feather",),
        both=("placement=ground", "size=[360,540]"),
        samples=(12, 13),
        rows=("close-up",),
        faults={"rim": 0.008},
    ),
    "trouble-dark": Pair(
        wrong=("blend.match=0",),
        right=("blend.match=0.5",),
        both=("placement=ground", "size=[360,540]"),
        samples=(19, 28),
        faults={"light": 0.45},
    ),
}
PICTURES: dict[str, Picture | Pair] = {**START, **GALLERY, **TROUBLE}
