"""Assets from folders of images: the user's own photographs and cut-outs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import orjson
from PIL import Image

from depthmask.codec.metadata import move_keypoints
from depthmask.data import AssetCatalogue, Background, Camera, Float32, Foreground, Meta, Size
from depthmask.stage import setting, stage
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.stages.source._cut_out import scaled_cut_out
from depthmask.stages.source._cut_out_files import NoMaskError, read_cut_out, without_mask
from depthmask.stages.source._folder import AssetError
from depthmask.stages.source._folders import FOLDERS
from depthmask.stages.source._inspection import Eyes, Inspection, InspectionResult, OnBadAsset
from depthmask.stages.source._joined import Joined, roots_of
from depthmask.stages.source._labels import DEFAULT, LabelPattern, label_of
from depthmask.stages.source._looking import look_at
from depthmask.stages.source._looks import Asset, KeptLooks, Look
from depthmask.stages.source._names import TABLE
from depthmask.stages.source._root_files import RootFiles
from depthmask.stages.source.base import Source

_LEAST_F_PX, _MOST_F_PX = 0.1, 100
"""Range of focal lengths relative to the width of the picture, from 157 to 0.6 degrees across.

Others are most likely in millimetres."""
_PICTURES = (("bg", "bg_depth", "backgrounds"), ("fg", "fg_mask", "foregrounds"))
"""Folder of pictures, the folder of what belongs to them, and what they are."""
_MOST_NAMED = 3
"""The most cut-outs in a note."""


@stage("assets")
class Assets(Source):
    """A folder with `bg/` (backgrounds) and `fg/` (cut-outs), with sub-folders if you like.

    JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, and HEIC with `depthmask[heic]`. Keys are paths below
    these folders without the suffix; a cut-out in a sub-folder has its name as label.

    Optional: `fg_mask/` with a mask of the same name for each cut-out that has no transparency of
    its own, `bg_depth/` with a 16-bit millimetre PNG for backgrounds (0 = invalid), `assets.csv`
    with the columns key, label and height_m (metres) for cut-outs, f_px (focal length in pixels
    of the file) for backgrounds, split (train, val or test) and licence for either, and meta (a
    JSON object) or meta.NAME (a text), which go into the JSON of the samples, for either.

    All files are inspected before the first sample is planned, each once: later runs look at those
    that are new or have changed. A file that changes after that ends the run. A file or a row of
    `assets.csv` that cannot be used ends the run; with `on_bad_asset=skip` it is left out, and its
    cut-out or background with it; `quarantine` also copies them to `quarantine/` of the output,
    with the reason.

    Backgrounds are cropped at the centre to the canvas's aspect and resized. Cut-outs are trimmed
    to what is visible, alpha above 16 of 255, and scaled so that the long side is
    `foreground_scale` of the canvas's shorter side; with `foreground_scale=null` they stay as they
    are. A mask may be grey, one colour on black, of 0 and 1, or in the file's transparency; one of
    several classes or objects cannot be used.
    """

    loads_quickly = True
    pixel_version = 2
    """2: large JPEGs are decoded at a part of their size."""

    root: str = setting(
        by_content=True, help="the folder or URL that holds bg/ and fg/, or several, as A:B"
    )
    foreground_scale: float | None = setting(
        150 / 160,
        gt=0,
        le=4,
        help="long side of a cut-out relative to the canvas's shorter side, or null",
    )
    on_bad_asset: OnBadAsset = setting(
        OnBadAsset.fail, help="stop at a file or a row that cannot be used, or leave it out"
    )

    subfolders: bool = setting(
        True, decides_bytes=False, help="read the pictures in sub-folders of bg/ and fg/, too"
    )
    label_pattern: str | None = setting(
        None,
        decides_bytes=False,
        help="names of cut-outs with LABEL, NUMBER and *, such as LABEL_NUMBER, or null",
    )
    recheck: bool = setting(
        False, in_plan=False, help="look at all files again, not at new and changed ones alone"
    )

    def __post_init__(self) -> None:
        _ = self._pattern

    def backgrounds(self) -> Sequence[str]:
        """The keys of `bg/`: paths in it without the suffix."""
        if self._joined:
            return self._joined.keys(lambda one: one.backgrounds())
        return tuple(self._files.required("bg"))

    def foregrounds(self) -> Sequence[str]:
        """The keys of `fg/`."""
        if self._joined:
            return self._joined.keys(lambda one: one.foregrounds())
        return tuple(self._files.required("fg"))

    def background(self, key: str, size: Size) -> Background:
        """The picture, cropped and resized, with depth if `bg_depth/` has it."""
        if self._joined:
            return self._joined.background(key, size)
        path = self._files.required("bg")[key]
        picture = images.load_for(path, self._files.read(path), size)
        return Background(
            key=key,
            image=colours.resize_picture(picture, size),
            depth_m=self._depth(key, picture, size),
            camera=self._camera(key, picture, size),
            meta=self._meta("bg", key, images.crop_box(picture, size), size),
        )

    def _depth(self, key: str, picture: images.Picture, size: Size) -> Float32 | None:
        path = self._files.of("bg_depth").get(key)
        if path is None:
            return None
        return images.load_depth(path, picture, size, self._files.read(path))

    def _meta(self, folder: str, key: str, box: images.Box, size: Size) -> Meta | None:
        """The metadata, moved from the file's pixels to those of its `box`, resized to `size`.

        box: left, top, right, bottom.
        """
        meta = self._files.rows.of(folder, key).meta
        if meta is None:
            return None
        left, top, right, bottom = box
        down, across = size[0] / (bottom - top), size[1] / (right - left)
        return move_keypoints(meta, (down, across), (-top * down, -left * across))

    def _camera(self, key: str, picture: images.Picture, size: Size) -> Camera | None:
        """A level camera; None without a focal length.

        Its height is 0, which means unknown; a fitted floor gives a better one.
        """
        f_px = self._files.rows.of("bg", key).f_px
        if f_px is None:
            return None
        if not _LEAST_F_PX <= f_px / picture.width <= _MOST_F_PX:
            raise AssetError(
                self._files.required("bg")[key],
                f"f_px={f_px:g} in {TABLE} for a picture of {picture.width} pixels across; f_px is "
                "in pixels of the file: millimetres x this width / width of the sensor",
            )
        height, width = size
        # The picture is cropped at the centre until it fills the canvas.
        scale = max(height / picture.height, width / picture.width)
        return Camera(f_px * scale, width / 2, height / 2, height_m=0.0, pitch=0.0)

    def foreground(self, key: str, size: Size) -> Foreground:
        """The cut-out, trimmed and scaled."""
        if self._joined:
            return self._joined.foreground(key, size)
        rgba, _ = read_cut_out(self._files, key)
        return self._prepared(key, rgba, size)

    def _prepared(self, key: str, cut_out: Image.Image, size: Size) -> Foreground:
        """A cut-out with these pixels."""
        box: images.Box = (0, 0, *cut_out.size)
        rgba = np.asarray(cut_out)
        if self.foreground_scale is not None:
            rgba, box = scaled_cut_out(rgba, self.foreground_scale, size)
        label, _ = self._label(key)
        height_m = self._files.rows.of("fg", key).height_m
        meta = self._meta("fg", key, box, rgba.shape[:2])
        return Foreground(key, label, rgba, height_m=height_m, meta=meta)

    def background_identity(self, key: str, size: Size) -> str | None:
        """The contents of the picture and of its depth map, and what else decides its pixels."""
        if self._joined:
            source, own_key = self._joined.owner(key)
            return source.background_identity(own_key, size)
        return self._identity("bg", "bg_depth", key, [size])

    def foreground_identity(self, key: str, size: Size) -> str | None:
        """As `background_identity`, with the mask and the scale."""
        if self._joined:
            source, own_key = self._joined.owner(key)
            return source.foreground_identity(own_key, size)
        return self._identity("fg", "fg_mask", key, [size, self.foreground_scale])

    def _identity(
        self, folder: str, companions: str, key: str, settings: Sequence[object]
    ) -> str | None:
        """None before any check, and for a subclass, which may make other pixels of the files."""
        if self._files.hashes is None or type(self) is not Assets:
            return None
        paths = [self._files.of(one).get(key) for one in (folder, companions)]
        contents = [self._files.hash_of(path) if path else "" for path in paths]
        if None in contents:
            return None
        row = self._files.rows.of(folder, key)
        label = self._label(key)[0] if folder == "fg" else row.label or DEFAULT
        of_row = [label, row.height_m, row.f_px, row.meta]
        determining = [folder, contents, of_row, settings, self.pixel_version]
        return orjson.dumps(determining).decode()

    def has_depth(self, key: str) -> bool:
        """Whether `bg_depth/` has depth for the background."""
        if self._joined:
            source, own_key = self._joined.owner(key)
            return source.has_depth(own_key)
        return key in self._files.of("bg_depth")

    def foreground_labels(self) -> Sequence[str]:
        """The labels of all cut-outs, also of those that are left out."""
        if self._joined:
            return self._joined.labels()
        files = self._files.listings["fg"]
        keys = [*files.files, *(self._files.folders.asset_of(one.path)[1] for one in files.faults)]
        return sorted({self._label(key)[0] for key in keys})

    def _label(self, key: str) -> tuple[str, bool]:
        """The label of a cut-out, and whether only the pattern says so."""
        if label := self._files.rows.of("fg", key).label:
            return label, False
        label = label_of(key, self._pattern)
        return label, label != label_of(key, None)

    @cached_property
    def _pattern(self) -> LabelPattern | None:
        return None if self.label_pattern is None else LabelPattern(self.label_pattern)

    def check(self, size: Size) -> AssetCatalogue:
        """Decode every asset; the digest covers names and contents of all files in use.

        Assets that an earlier check has seen, and that have not changed, are not decoded again.
        """
        if self._joined:
            catalogue = self._joined.check(size)
            copies = [
                note
                for folder, companion, kind in _PICTURES
                for note in self._joined.copies(partial(_contents, folder, companion), kind)
            ]
            return replace(catalogue, origin=self.root, notes=(*catalogue.notes, *copies))
        self._forget()
        try:
            with self._files.errors_with_url():
                result = self._inspect(size)
        except BaseException:
            self._forget()
            raise
        # Of the files in use alone, so that workers use no others.
        self._files.hashes = dict(result.files)
        names = dict.fromkeys([*FOLDERS, *self._files.folders.names.values()])
        return replace(
            result.catalogue,
            origin=self._files.title,
            notes=self._notes(result),
            folders=tuple(str(self._files.location / folder) for folder in names),
        )

    def _notes(self, result: InspectionResult) -> tuple[str, ...]:
        rows = self._files.rows
        masks = f"{result.unused_masks} masks are not used, their cut-outs have alpha of their own"
        of_masks = (f"fg_mask/: {masks}",) if result.unused_masks else ()
        of_table = (f"{TABLE}: {note}" for note in (*rows.table.notes, *rows.notes))
        of_labels = self._without_label(result.catalogue.foregrounds)
        return (*self._files.copied(), *of_masks, *of_table, *of_labels, *result.notes)

    def _without_label(self, keys: Sequence[str]) -> Iterator[str]:
        """Yield a note about cut-outs that the pattern was to give a label, and gives none."""
        bare = [key for key in keys if self._pattern and self._label(key) == (DEFAULT, False)]
        if bare:
            names = ", ".join(bare[:_MOST_NAMED]) + (", ..." if len(bare) > _MOST_NAMED else "")
            yield f"label_pattern={self.label_pattern}: no label for {len(bare):,}: {names}"

    def _inspect(self, size: Size) -> InspectionResult:
        files = self._files
        folders, listings, rows = files.folders, files.listings, files.rows
        # From here on, each file has one content.
        files.hashes = {}
        eyes = Eyes(
            look=lambda assets: self._look_at(assets, size),
            without_mask=partial(without_mask, files),
            label_of=self._label,
        )
        return Inspection(folders, listings, rows, self.on_bad_asset, eyes).result()

    def _look_at(self, assets: Sequence[Asset], size: Size) -> list[Look]:
        """The looks at assets, of which only new and changed ones are opened."""
        files = self._files
        url = "" if files.is_local else str(files.location)
        # Another process may have another class of that name.
        rules = () if type(self) is Assets else (type(self), repr(self), size)
        kept = KeptLooks(files.folder, url, rules, is_trusted=not self.recheck)
        return look_at(assets, kept, partial(self._look, size=size), self.progress)

    def _look(self, asset: Asset, size: Size) -> Look:
        """What opening the files of an asset tells."""
        fault, has_alpha = None, False
        try:
            if asset.folder == "bg":
                background = self.background(asset.key, size)
                self.hand_on(lambda: background, size)
            else:
                rgba, has_alpha = read_cut_out(self._files, asset.key)
                self._read_rest(asset)
                self.hand_on(lambda: self._prepared(asset.key, rgba, size), size)
        except NoMaskError as error:
            fault = (self._files.name_of(error.path), "")
        except AssetError as error:
            fault = (self._files.name_of(error.path), error.reason)
        hashes = [(self._files.hashes or {}).get(file.name, "") for file in asset.files]
        return Look(asset, hashes, fault, has_alpha)

    def _read_rest(self, asset: Asset) -> None:
        """Read the mask that a cut-out with alpha does not need, for its hash."""
        for file in asset.files:
            if file.name not in (self._files.hashes or {}):
                self._files.read(self._files.folder / file.name)

    def __getstate__(self) -> dict[str, Any]:
        """The settings, and what was looked at."""
        settings = {item.name: getattr(self, item.name) for item in fields(self)}
        if self._joined:
            return settings | {"_joined": self._joined}
        return settings | {"_seen": self._files.seen}

    @cached_property
    def _files(self) -> RootFiles:
        """The files of the root: those that were looked at, if any were."""
        seen = self.__dict__.get("_seen", {})
        return RootFiles(self.root, self.progress, is_nested=self.subfolders, **seen)

    def _forget(self) -> None:
        """Make the next use list the folders again, since files may have come or gone."""
        for name in ("_files", "_seen"):
            self.__dict__.pop(name, None)

    @cached_property
    def _joined(self) -> Joined[Assets] | None:
        """The sources of several roots; None for one."""
        roots = self.roots
        return Joined([replace(self, root=one) for one in roots]) if len(roots) > 1 else None

    @property
    def roots(self) -> Sequence[str]:
        """The folders and URLs of `root`."""
        return roots_of(self.root)


def _contents(folder: str, companion: str, source: Assets) -> dict[str, Sequence[str]]:
    """Name of each picture in use -> its hash, and that of its mask or depth map."""
    files = source._files
    return {
        files.name_of(path): [
            files.hash_of(one) or ""
            for one in (path, files.of(companion).get(key))
            if one is not None
        ]
        for key, path in files.of(folder).items()
        if files.hash_of(path)
    }
