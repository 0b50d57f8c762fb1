"""Backgrounds completed by a geometry stage and by their floor, which the asset store keeps.

So a network sees each image once, and the floor is fitted once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import is_stored, load, save
from depthmask.asset_store.names import entry_name
from depthmask.asset_store.prepared import (
    as_camera,
    as_plane,
    camera_fields,
    plane_fields,
    present,
)
from depthmask.compose.depth_check import depth_fault
from depthmask.compose.floor import with_floor
from depthmask.compose.results import measured_backgrounds
from depthmask.compose.stored_assets import background_identity, stored_background
from depthmask.data import Background, DepthContract, Size
from depthmask.stage.calls import StageCalls
from depthmask.stages.geometry.base import Geometry
from depthmask.stages.source.base import Source

_DEPTH, _FLOORS = "depth", "floors"
"""Groups of entries: of measured depth, and of fitted floors."""


class GeometryCache:
    """Backgrounds completed by a geometry stage, and by their floor.

    Measured depth is stored under the identity of the background, or the hash of its pixels, and
    the stage's `cache_key` and pixel version. Deleting the store costs only time.
    """

    def __init__(
        self,
        geometry: Geometry,
        source: Source,
        size: Size,
        contract: DepthContract | None = None,
        fov_deg: float | None = None,
    ) -> None:
        """contract: of the geometry; without one, the values of depth are not checked.

        fov_deg: the horizontal field of view assumed for an unknown camera; None for backgrounds
        without a floor.
        """
        self._geometry = geometry
        self._source = source
        self._size = size
        self._contract = contract
        self._fov_deg = fov_deg

    def background(self, key: str) -> Background:
        """The background with its geometry, and with the metadata that the source gave it."""
        background = stored_background(self._source, key, self._size)
        if not self._needs_measuring(key):
            measured = self._measured([background])[0]
            return self._with_floor(measured, _digest(measured, measured.depth_m))
        content = self._content(background)
        measured = self._stored(background, content) or self._measure([background])[0]
        return self._with_floor(measured, f"{content} {self._cache_key}")

    def fill(self, keys: Sequence[str], advance: Callable[[int], None]) -> None:
        """Measure all backgrounds that are not stored, in full batches.

        advance: called with 1 for each key.
        """
        unknown = self._not_stored(keys, advance)
        while batch := list(islice(unknown, self._geometry.batch_size)):
            self._measure(batch)

    def lacks_floor(self, key: str) -> bool:
        """Whether the store should have the floor of a background of `to_measure`, and has not."""
        identity = background_identity(self._source, key, self._size)
        if self._fov_deg is None or identity is None:
            return False
        content = f"{self._source.name} {identity} {self._cache_key}"
        return not is_stored(entry_name(_FLOORS, content, self._fov_deg))

    def to_measure(self, keys: Sequence[str]) -> list[str]:
        """The keys whose depth a model measures, stored or not."""
        return [key for key in keys if self._needs_measuring(key)]

    def _needs_measuring(self, key: str) -> bool:
        with StageCalls(self._source, "has_depth"):
            has_depth = self._source.has_depth(key)
        with StageCalls(self._geometry, "needs_measuring"):
            return self._geometry.needs_measuring(has_depth)

    def _not_stored(
        self, keys: Sequence[str], advance: Callable[[int], None]
    ) -> Iterator[Background]:
        for key in keys:
            background = stored_background(self._source, key, self._size)
            if self._stored(background, self._content(background)) is None:
                yield background
            advance(1)

    def _stored(self, background: Background, content: str) -> Background | None:
        """The background with its stored depth; None if that is missing or breaks the contract."""
        entry = load(entry_name(_DEPTH, content, self._cache_key))
        depth_m = None if entry is None else entry.arrays["depth_m"]
        if depth_m is None or depth_m.shape != background.image.shape[:2]:
            return None
        if self._contract is not None and depth_fault(depth_m, self._contract):
            return None
        return replace(background, depth_m=depth_m, plane=None, guessed=True)

    def _measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """Measure backgrounds, and store what has passed the checks."""
        measured = self._measured(backgrounds)
        for before, after in zip(backgrounds, measured, strict=True):
            if after.depth_m is not None:
                name = entry_name(_DEPTH, self._content(before), self._cache_key)
                save(name, Entry(arrays={"depth_m": after.depth_m}))
        return measured

    def _measured(self, backgrounds: Sequence[Background]) -> list[Background]:
        calls = StageCalls(self._geometry, "measure")
        with calls:
            measured = self._geometry.measure(backgrounds)
        return measured_backgrounds(calls, backgrounds, measured, self._contract)

    def _with_floor(self, background: Background, content: str) -> Background:
        """The background with its floor, stored or fitted.

        content: what determines depth, camera and plane.
        """
        if self._fov_deg is None:
            return background
        name = entry_name(_FLOORS, content, self._fov_deg)
        entry = load(name)
        if entry is not None:
            fields = entry.fields
            camera, plane = as_camera(fields["camera"]), as_plane(fields["plane"])
            floor = entry.arrays.get("floor")
            return replace(background, camera=camera, plane=plane, floor=floor)
        fitted = with_floor(background, self._fov_deg)
        fields = {"camera": camera_fields(fitted.camera), "plane": plane_fields(fitted.plane)}
        save(name, Entry(fields, present({"floor": fitted.floor})))
        return fitted

    @cached_property
    def _cache_key(self) -> str:
        """The key of the geometry; later pixel versions make it another one."""
        calls = StageCalls(self._geometry, "cache_key")
        with calls:
            key = self._geometry.cache_key
        if not isinstance(key, str) or not key:
            raise calls.returned(key, "a text")
        stages = (self._geometry, *self._geometry.inner_stages())
        later = [f" {one.name}:{one.pixel_version}" for one in stages if one.pixel_version > 1]
        return "".join([key, *later])

    def _content(self, background: Background) -> str:
        """What determines a background of the source: its identity, or a hash of it."""
        identity = background_identity(self._source, background.key, self._size)
        if identity is None:
            return _digest(background, background.image, background.depth_m)
        return f"{self._source.name} {identity}"


def _digest(background: Background, *arrays: NDArray[Any] | None) -> str:
    """A hash of the camera and the plane of a background, and of some of its arrays."""
    digest = blake2b(repr((background.camera, background.plane)).encode(), digest_size=16)
    for array in arrays:
        digest.update(b"" if array is None else f"{array.dtype} {array.shape}".encode())
        digest.update(b"" if array is None else np.ascontiguousarray(array).data)
    return digest.hexdigest()
