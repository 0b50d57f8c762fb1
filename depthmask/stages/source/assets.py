"""Folders of images: one's own photographs and cut-outs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from depthmask.data import AssetCatalogue, Background, Camera, Foreground, Size
from depthmask.errors import UsageError
from depthmask.stage import setting, stage
from depthmask.stages.source import _images as images
from depthmask.stages.source._copies import copies
from depthmask.stages.source._folder import AssetError, Listing, listing
from depthmask.stages.source._inspection import (
    FOLDERS,
    Inspected,
    Inspection,
    OnBadAsset,
    Pictures,
)
from depthmask.stages.source._state import is_settled, state_of
from depthmask.stages.source._table import Facts, Row, read_facts
from depthmask.stages.source.base import Source
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.remote import ObjectPath

_log = logging.getLogger(__name__)
_LAST: dict[object, Inspected] = {}
"""The last assets that this process looked at: to look at 200 pictures of 640x480 takes 0.3 s, to
see that nobody has touched them 2 ms."""


@stage("assets")
class Assets(Source):
    """A folder with `bg/` (backgrounds) and `fg/` (cut-outs), JPEG, PNG or WebP.

    Optional: `fg_mask/` with a mask of the same name for each cut-out that has no transparency of
    its own, `bg_depth/` with a 16-bit millimetre PNG for backgrounds (0 = invalid), `assets.csv`
    with the columns key, label and height_m (metres) for cut-outs, f_px (focal length in pixels
    of the file) for backgrounds, and licence for either.

    All are looked at before the first sample is planned. A file that cannot be used ends the run;
    with `on_bad_asset=skip` it is left out, and its cut-out or background with it;
    `quarantine` also copies them to `quarantine/` of the output, with the reason.

    Backgrounds are cropped at the centre to the canvas's aspect and resized. Cut-outs are trimmed
    to their alpha and scaled so that the long side is `foreground_scale` of the canvas's shorter
    side; with `foreground_scale=null` they stay as they are.
    """

    root: str = setting(help="the folder or URL that holds bg/ and fg/")
    foreground_scale: float | None = setting(
        150 / 160, gt=0, le=4, help="long side of a cut-out by the canvas's shorter side, or null"
    )
    on_bad_asset: OnBadAsset = setting(
        OnBadAsset.fail, help="stop at a file that cannot be used, or leave it out"
    )

    def backgrounds(self) -> Sequence[str]:
        """File names in `bg/` without suffix."""
        return tuple(self._files("bg"))

    def foregrounds(self) -> Sequence[str]:
        """File names in `fg/` without suffix."""
        return tuple(self._files("fg"))

    def background(self, key: str, size: Size) -> Background:
        """Cropped and resized; with depth if `bg_depth/` has it."""
        picture = images.to_rgb(images.load(self._files("bg")[key]))
        depth = self._optional("bg_depth").get(key)
        return Background(
            key=key,
            image=images.resize_picture(picture, size),
            depth_m=None if depth is None else images.load_depth(depth, picture, size),
            camera=self._camera(key, picture, size),
        )

    def _camera(self, key: str, picture: Image.Image, size: Size) -> Camera | None:
        """Level, at an unknown height (0), as a floor tells better; None without a focal length."""
        f_px = self._facts.get(key, Row()).f_px
        if f_px is None:
            return None
        height, width = size
        # The picture is cropped at the centre until it fills the canvas.
        scale = max(height / picture.height, width / picture.width)
        return Camera(f_px * scale, width / 2, height / 2, height_m=0.0, pitch=0.0)

    def foreground(self, key: str, size: Size) -> Foreground:
        """Trimmed and scaled."""
        rgba = self._cut_out(key)
        if self.foreground_scale is not None:
            rgba = rgba.crop(rgba.getchannel("A").getbbox())
            scale = self.foreground_scale * min(size) / max(rgba.size)
            target = (max(1, round(rgba.width * scale)), max(1, round(rgba.height * scale)))
            if target != rgba.size:
                rgba = rgba.resize(target, Image.Resampling.LANCZOS)
        known = self._facts.get(key, Row())
        return Foreground(key, known.label, np.asarray(rgba), height_m=known.height_m)

    def has_depth(self, key: str) -> bool:
        """Whether `bg_depth/` has the background."""
        return key in self._optional("bg_depth")

    def check(self, size: Size) -> AssetCatalogue:
        """Decode every asset; the digest covers names and contents of all files in use.

        For the next job of a sweep, assets that nobody has touched since are not decoded again.
        """
        self._forget_listings()
        files = state_of(self._root, FOLDERS)
        state = (type(self), repr(self), size, files)
        inspected = _LAST.get(state)
        if inspected is None:
            with self._named_as_given():
                inspected = self._inspect(size)
            _LAST.clear()
            if is_settled(files):
                _LAST[state] = inspected
        if inspected.unused_masks:
            _log.warning(
                "fg_mask/: %d masks are not used, their cut-outs have alpha of their own",
                inspected.unused_masks,
            )
        return inspected.catalogue

    def _forget_listings(self) -> None:
        """List the folders anew at next use: files may have come or gone since the last check."""
        for name in ("_copies", "_listings", "_facts"):
            self.__dict__.pop(name, None)

    @contextmanager
    def _named_as_given(self) -> Iterator[None]:
        """An error names a copy by its URL."""
        try:
            yield
        except UsageError as error:
            raise UsageError(str(error).replace(str(self._root), self.root.rstrip("/"))) from None

    def _inspect(self, size: Size) -> Inspected:
        pictures = Pictures(
            open_background=lambda key: self.background(key, size),
            open_foreground=self._cut_out,
            has_alpha=lambda key: images.to_rgba(images.load(self._files("fg")[key])) is not None,
        )
        return Inspection(
            self._root, self._listings, self._facts, self.on_bad_asset, pictures
        ).result()

    def __getstate__(self) -> dict[str, Any]:
        """The settings: each machine lists the folders, and keeps copies, on its own."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def _root(self) -> Path:
        root = location(self.root)
        if not isinstance(root, LocalPath):
            return self._copies
        root = root.expanduser()
        if not root.is_dir():
            raise UsageError(f"source.root={self.root}: no such folder")
        return root

    def _files(self, folder: str) -> Mapping[str, Path]:
        if not (self._root / folder).is_dir():
            raise UsageError(
                f"{self._root / folder}: no such folder; source.root needs bg/ and fg/"
            )
        return self._optional(folder)

    def _optional(self, folder: str) -> Mapping[str, Path]:
        return self._listings[folder].files

    @cached_property
    def _copies(self) -> Path:
        root = location(self.root)
        assert isinstance(root, ObjectPath), "a folder needs no copy"
        return copies(root)

    @cached_property
    def _listings(self) -> dict[str, Listing]:
        """The files of each folder, by key; listed once, since a folder may have thousands."""
        return {folder: listing(self._root, folder) for folder in FOLDERS}

    @cached_property
    def _facts(self) -> Facts:
        return read_facts(self._root / "assets.csv")

    def _cut_out(self, key: str) -> Image.Image:
        path = self._files("fg")[key]
        picture = images.load(path)
        rgba = images.to_rgba(picture) or images.with_mask(picture, self._mask(path, picture))
        if rgba.getchannel("A").getbbox() is None:
            raise AssetError(path, "wholly transparent; replace or remove it")
        return rgba

    def _mask(self, path: Path, picture: Image.Image) -> Image.Image:
        mask_path = self._optional("fg_mask").get(path.stem)
        if mask_path is None:
            raise AssetError(
                path, f"no transparency and no mask; cut it out, or add fg_mask/{path.stem}.png"
            )
        mask = images.load(mask_path)
        if mask.size != picture.size:
            raise AssetError(
                mask_path,
                f"{mask.height}x{mask.width}, but its cut-out {path.name} is "
                f"{picture.height}x{picture.width}; a mask needs the size of its cut-out",
            )
        return mask
