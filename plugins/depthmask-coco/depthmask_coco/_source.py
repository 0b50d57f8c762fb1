"""What the sources of this package have in common: from instances to assets."""

from __future__ import annotations

import gc
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import orjson
from depthmask import (
    AssetCatalogue,
    AssetError,
    AssetFolder,
    Background,
    BackgroundInstance,
    Foreground,
    OnBadAsset,
    Size,
    Source,
    UInt8,
    resized_instance,
    scaled_cut_out,
    setting,
    settings,
)

from depthmask_coco._check import Assets, Check
from depthmask_coco._instances import Annotations, Instance, Photograph
from depthmask_coco._rim import margin, soft_cut_out
from depthmask_coco._selection import OwnInstances, Photographs


@settings
class InstanceSource(Source):
    """Foregrounds are instances of annotated photographs; backgrounds are these, or others."""

    loads_quickly = True

    root: str = setting(by_content=True, help="the folder of the photographs")
    backgrounds_root: str = setting(
        "", by_content=True, help="a folder of other backgrounds; empty: the photographs"
    )
    backgrounds_categories: Photographs = setting(
        Photographs.any,
        help="photographs that are backgrounds: any, those without the chosen categories, or only "
        "those with one of them",
    )
    background_instances: OwnInstances = setting(
        OwnInstances.labels,
        help="objects of the chosen categories that are on a background already: not in the "
        "labels, in the labels, or in labels and mask",
    )
    categories: list[str] = setting([], help="the categories of objects to cut out; empty: all")
    least_area: int = setting(
        1024, ge=1, help="least area of an object in pixels of its photograph"
    )
    truncated: bool = setting(
        False, help="use objects that the border of their photograph cuts off"
    )
    crowd: bool = setting(False, help="use regions that are a crowd of objects")
    rim: int = setting(
        2, ge=0, le=32, help="pixels on either side of a mask's edge where alpha is soft; 0: hard"
    )
    foreground_scale: float = setting(
        150 / 160,
        gt=0,
        le=4,
        help="long side of a cut-out relative to the canvas's shorter side",
    )
    on_bad_asset: OnBadAsset = setting(
        OnBadAsset.fail, help="stop at what cannot be used, or leave it out"
    )
    recheck: bool = setting(
        False, in_plan=False, help="look at all files again, not at new and changed ones alone"
    )

    @abstractmethod
    def read_annotations(self, files: AssetFolder) -> Annotations:
        """The annotations, with what cannot be used; files: below the root."""

    def backgrounds(self) -> Sequence[str]:
        """The names of the photographs, or of the other backgrounds."""
        return self._assets.backgrounds

    def foregrounds(self) -> Sequence[str]:
        """The keys of the instances in use."""
        return tuple(self._assets.instances)

    def background(self, key: str, size: Size) -> Background:
        """The picture, cropped at the centre and resized."""
        image, picture = self._background_files.picture_for(key, size)
        return self.as_background(key, image, picture)

    def as_background(self, key: str, image: UInt8, picture: Size) -> Background:
        """A background with these pixels, and what is known about it. picture: size of the file."""
        if self._assets.others:
            return Background(key, image)
        own = (self._own_instance(one, picture, image.shape[:2]) for one in self._own(key))
        photograph = self._assets.photographs[key]
        return Background(
            key,
            image,
            meta=_meta(photograph),
            instances=tuple(one for one in own if one is not None),
        )

    def _own(self, key: str) -> Sequence[Instance]:
        """The instances that a background shows by itself, of the chosen categories."""
        return self._assets.own.get(key, ())

    def _own_instance(
        self, instance: Instance, picture: Size, size: Size
    ) -> BackgroundInstance | None:
        """An instance on the canvas; None if it is beyond it, or cannot be drawn."""
        if instance.shape.fault(picture):
            return None
        window, is_in_mask = instance.shape.window(picture), self._is_in_mask
        mask = instance.shape.part(picture, self._assets.files).view(np.bool_)
        one = BackgroundInstance(
            instance.label,
            mask,
            window.top,
            window.left,
            instance.is_crowd,
            is_in_mask,
            instance.facts or None,
        )
        return resized_instance(one, picture, size)

    @property
    def _is_in_mask(self) -> bool:
        return self.background_instances is OwnInstances.mask

    def foreground(self, key: str, size: Size) -> Foreground:
        """The instance, cut out with a soft rim, trimmed and scaled."""
        instance = self._assets.instances[key]
        files = self._assets.files
        pixels = files.picture(instance.file)
        mask = instance.shape.mask(pixels.shape[:2], files)
        if not mask.any():
            raise AssetError(files.path(instance.file), f"{instance.what} covers no pixel")
        rows, columns = _window(mask, margin(self.rim))
        rgba = soft_cut_out(
            np.ascontiguousarray(pixels[rows, columns]),
            np.ascontiguousarray(mask[rows, columns]),
            self.rim,
        )
        scaled, _ = scaled_cut_out(rgba, self.foreground_scale, size)
        meta = _meta(self._assets.photographs[instance.file]) | instance.facts
        return Foreground(key, instance.label, scaled, meta=meta)

    def background_group(self, key: str) -> str | None:
        """The content of the picture, which may be a photograph under another name."""
        return self._background_files.hashes.get(key)

    def foreground_group(self, key: str) -> str | None:
        """The content of the photograph that it is cut from."""
        assets = self._assets
        return assets.files.hashes.get(assets.instances[key].file)

    def foreground_labels(self) -> Sequence[str]:
        """The categories of the annotations, also of those that are left out."""
        return self._assets.labels

    def background_identity(self, key: str, size: Size) -> str | None:
        """The content of the picture, and what else decides its pixels and metadata."""
        content = self._background_files.hashes.get(key)
        if content is None:
            return None
        meta = {} if self._assets.others else _meta(self._assets.photographs[key])
        determining: list[object] = ["bg", content, meta, size]
        if own := [] if self._assets.others else self._own(key):
            # How masks are drawn is of a version, as cut-outs are.
            determining += [self._is_in_mask, *map(self._identity_of, own), self.pixel_version]
        return _text(determining)

    def _identity_of(self, own: Instance) -> list[object]:
        shape = own.shape.identity(self._assets.files)
        return [shape, own.label, own.is_crowd, own.facts]

    def foreground_identity(self, key: str, size: Size) -> str | None:
        """The content of the photograph, the shape, and what else decides its pixels."""
        instance, files = self._assets.instances[key], self._assets.files
        content = files.hashes.get(instance.file)
        if content is None:
            return None
        meta = _meta(self._assets.photographs[instance.file]) | instance.facts
        shape = instance.shape.identity(files)
        determining = [content, shape, instance.label, meta, size, self.rim, self.foreground_scale]
        return _text([*determining, self.pixel_version])

    def check(self, size: Size) -> AssetCatalogue:
        """Read the annotations, and look at each picture; those of an earlier check are kept."""
        self.__dict__.pop("_kept_assets", None)
        try:
            with _collection_paused():
                return Check(self, size).catalogue()
        except BaseException:
            self.__dict__.pop("_kept_assets", None)
            raise

    def keep(self, assets: Assets) -> None:
        """Use these assets from now on."""
        self.__dict__["_kept_assets"] = assets

    @property
    def _assets(self) -> Assets:
        """What the last check has told; without one, all is checked now."""
        if "_kept_assets" not in self.__dict__:
            self.check((160, 160))
        return self.__dict__["_kept_assets"]

    @property
    def _background_files(self) -> AssetFolder:
        return self._assets.others or self._assets.files


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Do without the collection of cycles: 100,000 annotations have none, and it takes a second."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _window(mask: UInt8, rim: int) -> tuple[slice, slice]:
    """The rows and columns of a mask, with so many more around it."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(0, int(rows[0]) - rim), int(rows[-1]) + rim + 1),
        slice(max(0, int(columns[0]) - rim), int(columns[-1]) + rim + 1),
    )


def _meta(photograph: Photograph) -> dict[str, Any]:
    """What goes into the JSON of samples about a photograph."""
    licence = {"licence": photograph.licence} if photograph.licence else {}
    return {"file_name": photograph.file, **photograph.facts, **licence}


def _text(determining: Sequence[object]) -> str:
    return orjson.dumps(determining).decode()
