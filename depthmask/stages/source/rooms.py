"""The default source: rendered rooms with exact depth, and rendered furniture to place in them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from depthmask.codec.density import ROOMS
from depthmask.data import AssetCatalogue, Background, Foreground, Size
from depthmask.errors import SettingError, UsageError
from depthmask.stage import setting, stage
from depthmask.stage.setting import default_of
from depthmask.stages.source.base import Source

if TYPE_CHECKING:
    from depthmask.stages.source._rooms.scene import Optics

_FIRST = 1
"""Stands in the hash of the settings since the first version of the renderer.

Another renderer raises `pixel_version` alone, so that an older dataset is refused for that, not for
its assets.
"""

_RANGES = ("fov_deg", "camera_height", "pitch_deg", "camera_from_wall")
"""The settings that are [least, largest], as `Optics` has them."""
_LATER = {"pitch_deg", "camera_from_wall", "clearance"}
"""Settings that older datasets do not have: in the hash where they are not as they were."""


@stage("rooms")
class Rooms(Source):
    """Rendered indoor scenes with exact depth, and furniture as cut-outs; needs no files.

    Depth is planar z in metres of one ray through each pixel centre; window panes are as deep
    as their wall. The pixels depend only on the settings and on the number in the key.
    """

    pixel_version = 2
    densities = ROOMS

    rooms: int = setting(64, ge=1, le=10000, help="number of rooms")
    furniture: int = setting(48, ge=1, le=10000, help="number of cut-outs")
    seed: int = setting(0, ge=0, help="another seed makes other rooms and furniture")
    fov_deg: list[float] = setting(
        [58.0, 74.0], ge=30, le=90, help="least and largest horizontal field of view, degrees"
    )
    camera_height: list[float] = setting(
        [1.3, 1.6], ge=0.6, le=2.0, help="least and largest height of the camera, metres"
    )
    pitch_deg: list[float] = setting(
        [8.0, 17.0], ge=-30, le=60, help="least and largest downward tilt of the camera, degrees"
    )
    camera_from_wall: list[float] = setting(
        [0.35, 0.8], ge=0.3, le=3.0, help="least and largest distance from the wall behind, metres"
    )
    clearance: float = setting(
        0.95, ge=0.2, le=2.0, help="least distance of furniture from the camera, metres"
    )
    foreground_scale: float = setting(
        0.6, gt=0, le=4, help="long side of a cut-out relative to the canvas's shorter side"
    )
    oversample: int = setting(
        3, ge=1, le=8, help="rays per pixel along each side, for smooth edges"
    )

    def __post_init__(self) -> None:
        for name, value in zip(_RANGES, self._ranges(), strict=True):
            if len(value) != 2 or value[0] > value[1]:
                raise SettingError(name, value, "must be [least, largest]")

    def _ranges(self) -> list[list[float]]:
        return [getattr(self, name) for name in _RANGES]

    def backgrounds(self) -> Sequence[str]:
        """`room0000`, `room0001`, ..."""
        return _keys("room", self.rooms)

    def foregrounds(self) -> Sequence[str]:
        """`item0000`, `item0001`, ..."""
        return _keys("item", self.furniture)

    def background(self, key: str, size: Size) -> Background:
        """The room as a photograph, with depth, camera and floor."""
        # Imported here and below, since that takes 70 ms, which `--help` does not need.
        from depthmask.stages.source._rooms import photo
        from depthmask.stages.source._rooms.scene import scene
        from depthmask.stages.source._rooms.streams import Kind, stream

        number = _number(key, "room", self.rooms)
        room = scene(self.seed, number, self.optics())
        photograph = photo.Photo(room, size)
        return Background(
            key=key,
            image=photograph.image(self.oversample, stream(self.seed, Kind.grain, number)),
            depth_m=photograph.depth(),
            camera=photo.camera(room, size),
            plane=photo.floor(room),
        )

    def foreground(self, key: str, size: Size) -> Foreground:
        """The piece of furniture, seen from a person's height.

        `height_m` is the height that the picture spans at the distance of the nearest foot.
        """
        from depthmask.stages.source._rooms import cutout

        subject = cutout.subject(self.seed, _number(key, "item", self.furniture))
        long_side = max(round(min(size) * self.foreground_scale), 1)
        frame = cutout.frame(subject, long_side)
        return Foreground(
            key=key,
            label=subject.label,
            rgba=cutout.photograph(subject, frame, self.oversample),
            relief_m=cutout.relief(subject, frame),
            height_m=subject.height_m,
        )

    def optics(self) -> Optics:
        """The ranges of the rooms' cameras."""
        from depthmask.stages.source._rooms.scene import Optics

        fov, high, pitch, wall = ((low, most) for low, most in self._ranges())
        return Optics(fov, high, pitch, wall, self.clearance)

    def has_depth(self, key: str) -> bool:
        """True for every room."""
        return True

    def foreground_labels(self) -> Sequence[str]:
        """The kinds of furniture, which alternate."""
        from depthmask.stages.source._rooms.furniture import CUTOUTS

        return [label for label, _ in CUTOUTS[: self.furniture]]

    def check(self, size: Size) -> AssetCatalogue:
        """A hash of the settings; there is nothing to read."""
        return AssetCatalogue(hashlib.sha256(self._identity(size).encode()).hexdigest()[:16])

    def background_identity(self, key: str, size: Size) -> str | None:
        """The settings, the pixel version and the key."""
        return self._identity_of(key, size)

    def foreground_identity(self, key: str, size: Size) -> str | None:
        """As `background_identity`: keys tell rooms from furniture."""
        return self._identity_of(key, size)

    def _identity_of(self, key: str, size: Size) -> str | None:
        """None for a subclass, which may render something else."""
        if type(self) is not Rooms:
            return None
        return f"rooms {self.pixel_version} {key} {self._identity(size)}"

    def _identity(self, size: Size) -> str:
        """Everything that determines the pixels of a key, as text."""
        settings = {
            one.name: getattr(self, one.name)
            for one in dataclasses.fields(self)
            if one.name not in _LATER or getattr(self, one.name) != default_of(one)
        }
        return json.dumps([_FIRST, list(size), settings], sort_keys=True)


def _keys(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:04d}" for number in range(count)]


def _number(key: str, prefix: str, count: int) -> int:
    digits = key.removeprefix(prefix)
    if not (key.startswith(prefix) and digits.isdecimal() and int(digits) < count):
        raise UsageError(
            f"source=rooms: no {key!r}; keys are {prefix}0000..{prefix}{count - 1:04d}"
        )
    return int(digits)
