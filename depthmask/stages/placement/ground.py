"""Placement on the floor: upright, with a size that follows from the distance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any

import numpy as np

from depthmask.data import (
    MOST_BOX_PIXELS,
    MOST_HEIGHT_M,
    Background,
    Float32,
    Foreground,
    Layer,
    PixelNumbers,
    Scene,
)
from depthmask.errors import NoPlaceError, SettingError
from depthmask.stage import setting, stage
from depthmask.stages.placement.base import Placement

_DRAWN = 16
"""Foot points drawn at a time; the first one within the range of distances is used."""
_HEIGHTS = (
    "must be {LABEL: metres, ...}, in quotes for the shell, as in "
    "'placement.heights={chair: 0.9, person: [1.5, 1.9]}'"
)


@stage("ground")
class Ground(Placement):
    """Cut-outs stand on visible floor, with the size that their real height has at that distance.

    The foot point (the middle of the lower edge) is a random pixel that shows the floor. The object
    has the depth of that pixel, and is hidden by nearer background pixels and nearer objects.
    Heights come from the source (`height_m` in `assets.csv`), else from `heights` by label, else
    from the range `height_m`. Backgrounds without a usable floor are skipped: the sample draws
    another one.

    A network's metres may be off by half, and so would be every size. The height of the camera
    above the floor is more reliable for photographs taken by people: if depth is estimated, sizes
    are scaled such that the camera is `camera_height_m` above the floor.
    """

    reads_geometry = True
    needs_ground = True
    mostly_outside = (
        "too tall for its place; check height_m in assets.csv, placement.heights and "
        "placement.height_m, or raise placement.distance_m"
    )

    height_m: list[float] = setting(
        [0.4, 1.8],
        gt=0,
        le=MOST_HEIGHT_M,
        help="least and largest height of objects of unknown height, metres",
    )
    heights: Any = setting(
        None,
        help="height in metres or [least, largest] by label, {chair: 0.9, person: [1.5, 1.9]}",
    )
    camera_height_m: float | None = setting(
        1.5,
        gt=0,
        le=10,
        help="camera height for estimated depth, metres; null: trust the network's metres",
    )
    distance_m: list[float] = setting(
        [1.5, 8.0], gt=0, help="least and largest depth of the foot point, metres"
    )

    def __post_init__(self) -> None:
        for name in ("height_m", "distance_m"):
            value = getattr(self, name)
            if len(value) != 2 or value[0] > value[1]:
                raise SettingError(name, value, "must be [least, largest]")
        if not isinstance(self.heights, (dict, NoneType)):
            raise SettingError("heights", self.heights, _HEIGHTS)
        for label, value in (self.heights or {}).items():
            _range(label, value)

    def labels_in_settings(self) -> Mapping[str, Iterable[Any]]:
        """The labels in `heights`."""
        return {"heights": self.heights or ()}

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Draw a foot point and a height; `NoPlaceError` without floor within the distances."""
        background = scene.background
        row, column, depth_m = self._foot(background, rng)
        chance = float(rng.random())
        least, largest = self._height_range_m(foreground)
        height_m = (least + (largest - least) * chance) * self._metre(background)
        height = _pixels(background, row, depth_m, height_m)
        width = max(1, round(height * foreground.size[1] / foreground.size[0]))
        if height * width > MOST_BOX_PIXELS:
            text = f"{foreground.key} is too tall for its place on {background.key}"
            raise NoPlaceError(text, reason=self.mostly_outside, foreground=foreground.key)
        return Layer(
            foreground.key,
            foreground.label,
            row + 1 - height,
            column - width // 2,
            height,
            width,
            flip,
            depth_m,
        )

    def _foot(self, background: Background, rng: np.random.Generator) -> tuple[int, int, float]:
        """(row, column, depth [m]) of a floor pixel within the range of distances."""
        floor, depth_m = background.floor, background.depth_m
        if floor is None or not len(floor):
            raise NoPlaceError(
                f"{background.key} has no floor that placement=ground can find",
                reason="no floor is found; remove the background, or give its depth (bg_depth/) "
                "and focal length (f_px)",
            )
        assert depth_m is not None, "a floor has depth"
        chances = rng.random(_DRAWN)
        metre = self._metre(background)
        feet = self._within(floor[(chances * len(floor)).astype(np.intp)], depth_m, metre)
        if not len(feet):
            # Rare, unless the range is narrow.
            usable = self._within(floor, depth_m, metre)
            feet = usable[[int(chances[0] * len(usable))]] if len(usable) else usable
        if not len(feet):
            within = ",".join(f"{one:g}" for one in self.distance_m)
            raise NoPlaceError(
                f"{background.key} shows no floor within placement.distance_m=[{within}]",
                reason="no floor within the distances; widen placement.distance_m",
            )
        row, column = divmod(int(feet[0]), depth_m.shape[1])
        return row, column, float(depth_m[row, column])

    def _within(self, floor: PixelNumbers, depth_m: Float32, metre: float) -> PixelNumbers:
        """The pixels whose depth is in the range `distance_m`."""
        distance_m = depth_m.ravel()[floor] / metre
        return floor[(distance_m >= self.distance_m[0]) & (distance_m <= self.distance_m[1])]

    def _metre(self, background: Background) -> float:
        """The length of a real metre in the metres of the background's depth."""
        assert background.plane is not None, "a background with a floor has a plane"
        if not background.guessed or self.camera_height_m is None:
            return 1.0
        return background.plane.offset_m / self.camera_height_m

    def _height_range_m(self, foreground: Foreground) -> tuple[float, float]:
        """The least and the largest height of a foreground, in metres."""
        if foreground.height_m is not None:
            return foreground.height_m, foreground.height_m
        if self.heights and foreground.label in self.heights:
            return _range(foreground.label, self.heights[foreground.label])
        return self.height_m[0], self.height_m[1]


def _range(label: str, value: Any) -> tuple[float, float]:
    """(least, largest) metres from an item of the setting `heights`; `SettingError` if invalid."""
    least, largest = value if isinstance(value, (list, tuple)) and len(value) == 2 else [value] * 2
    numbers = all(type(one) in (int, float) for one in (least, largest))
    if not numbers or not 0 < least <= largest <= MOST_HEIGHT_M:
        expected = f"must be metres or [least, largest], above 0 and at most {MOST_HEIGHT_M:g}"
        if numbers and largest > MOST_HEIGHT_M:
            expected = f"{expected}; {largest:g} cm is {largest / 100:g}"
        raise SettingError("heights", f"{{{label}: {value}}}", expected)
    return float(least), float(largest)


def _pixels(background: Background, row: int, depth_m: float, height_m: float) -> int:
    """The height in rows of an upright object of `height_m` whose foot is at `row`.

    Both ends are projected, since with a tilted camera they differ in depth.
    """
    camera, plane = background.camera, background.plane
    assert camera is not None, "the framework completes backgrounds with a floor"
    assert plane is not None, "the framework completes backgrounds with a floor"
    foot_y = (row + 1 - camera.cy) / camera.f_px * depth_m
    # The normal of a floor points down.
    top_y, top_z = foot_y - height_m * plane.normal[1], depth_m - height_m * plane.normal[2]
    if top_z <= 0:
        return row + 1
    return max(1, round((foot_y / depth_m - top_y / top_z) * camera.f_px))
