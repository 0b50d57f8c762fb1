"""The geometry of backgrounds, cached on disk, so that a network sees each image only once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import numpy as np

from depthmask.caching import cache_folder, load_array, store_array
from depthmask.data import Background, Size
from depthmask.stages.geometry.base import Geometry
from depthmask.stages.source.base import Source


class GeometryCache:
    """Backgrounds completed by a geometry stage.

    Measured depth is stored under the hash of the pixels, of the stage's `cache_key` and of its
    pixel version, in `DEPTHMASK_CACHE` or the user's cache folder. Deleting the cache costs only
    time.
    """

    def __init__(self, geometry: Geometry, source: Source, size: Size) -> None:
        self._geometry = geometry
        self._source = source
        self._size = size
        self._folder = cache_folder() / "geometry"

    def background(self, key: str) -> Background:
        """The background with its geometry, and with the metadata that the source gave it."""
        background = self._source.background(key, self._size)
        if self._needs_measuring(key):
            measured = self._cached(background) or self._measure([background])[0]
        else:
            measured = self._geometry.measure([background])[0]
        # A geometry may make new backgrounds, field by field.
        same = measured.meta is background.meta
        return measured if same else replace(measured, meta=background.meta)

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
        return self._geometry.needs_measuring(self._source.has_depth(key))

    def _uncached(
        self, keys: Sequence[str], advance: Callable[[int], None]
    ) -> Iterator[Background]:
        for key in keys:
            background = self._source.background(key, self._size)
            if self._cached(background) is None:
                yield background
            advance(1)

    def _cached(self, background: Background) -> Background | None:
        depth_m = load_array(self._path(background), np.float32)
        if depth_m is None or depth_m.shape != background.image.shape[:2]:
            return None
        return replace(background, depth_m=depth_m, plane=None, guessed=True)

    def _measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        measured = self._geometry.measure(backgrounds)
        for before, after in zip(backgrounds, measured, strict=True):
            if after.depth_m is not None:
                store_array(self._path(before), after.depth_m)
        return measured

    @cached_property
    def _cache_key(self) -> str:
        """The key of the geometry; later pixel versions make it another one."""
        stages = (self._geometry, *self._geometry.inner_stages())
        later = [f" {one.name}:{one.pixel_version}" for one in stages if one.pixel_version > 1]
        return "".join([self._geometry.cache_key, *later])

    def _path(self, background: Background) -> Path:
        """The file for the depth of a background, named by its pixels and the key of the stage."""
        digest = blake2b(self._cache_key.encode(), digest_size=16)
        digest.update(repr(background.image.shape).encode())
        digest.update(np.ascontiguousarray(background.image).data)
        name = digest.hexdigest()
        return self._folder / name[:2] / f"{name}.npy"
