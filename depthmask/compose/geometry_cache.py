"""The geometry of backgrounds, cached on disk, so that a network sees each image only once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b
from itertools import islice

import numpy as np

from depthmask.caching import load_array, store_array
from depthmask.compose.results import background_of, measured_backgrounds, read_only
from depthmask.contract import depth_fault
from depthmask.data import Background, DepthContract, Size
from depthmask.stage.calls import StageCalls
from depthmask.stages.geometry.base import Geometry
from depthmask.stages.source.base import Source


class GeometryCache:
    """Backgrounds completed by a geometry stage.

    Measured depth is stored under the hash of the pixels, of the stage's `cache_key` and of its
    pixel version, in `DEPTHMASK_CACHE` or the user's cache folder. Deleting the cache costs only
    time.
    """

    def __init__(
        self,
        geometry: Geometry,
        source: Source,
        size: Size,
        contract: DepthContract | None = None,
    ) -> None:
        """contract: of the geometry; without one, the values of depth are not checked."""
        self._geometry = geometry
        self._source = source
        self._size = size
        self._contract = contract

    def background(self, key: str) -> Background:
        """The background with its geometry, and with the metadata that the source gave it."""
        background = background_of(self._source, key, self._size)
        if self._needs_measuring(key):
            return self._cached(background) or self._measure([background])[0]
        return self._measured([background])[0]

    def fill(self, keys: Sequence[str], advance: Callable[[int], None]) -> None:
        """Measure all backgrounds that are not cached, in full batches.

        advance: called with 1 for each key.
        """
        uncached = self._uncached(keys, advance)
        while batch := list(islice(uncached, self._geometry.batch_size)):
            self._measure(batch)

    def to_measure(self, keys: Sequence[str]) -> list[str]:
        """The keys whose depth a model measures, cached or not."""
        return [key for key in keys if self._needs_measuring(key)]

    def _needs_measuring(self, key: str) -> bool:
        with StageCalls(self._source, "has_depth"):
            has_depth = self._source.has_depth(key)
        with StageCalls(self._geometry, "needs_measuring"):
            return self._geometry.needs_measuring(has_depth)

    def _uncached(
        self, keys: Sequence[str], advance: Callable[[int], None]
    ) -> Iterator[Background]:
        for key in keys:
            background = background_of(self._source, key, self._size)
            if self._cached(background) is None:
                yield background
            advance(1)

    def _cached(self, background: Background) -> Background | None:
        """The background with its cached depth; None if that is missing or breaks the contract."""
        depth_m = load_array(self._name(background), np.float32)
        if depth_m is None or depth_m.shape != background.image.shape[:2]:
            return None
        if self._contract is not None and depth_fault(depth_m, self._contract):
            return None
        return replace(background, depth_m=read_only(depth_m), plane=None, guessed=True)

    def _measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        """Measure backgrounds, and cache what has passed the checks."""
        measured = self._measured(backgrounds)
        for before, after in zip(backgrounds, measured, strict=True):
            if after.depth_m is not None:
                store_array(self._name(before), after.depth_m)
        return measured

    def _measured(self, backgrounds: Sequence[Background]) -> list[Background]:
        calls = StageCalls(self._geometry, "measure")
        with calls:
            measured = self._geometry.measure(backgrounds)
        return measured_backgrounds(calls, backgrounds, measured, self._contract)

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

    def _name(self, background: Background) -> str:
        """The file for the depth of a background, named by its pixels and the key of the stage."""
        digest = blake2b(self._cache_key.encode(), digest_size=16)
        digest.update(repr(background.image.shape).encode())
        digest.update(np.ascontiguousarray(background.image).data)
        name = digest.hexdigest()
        return f"geometry/{name[:2]}/{name}.npy"
