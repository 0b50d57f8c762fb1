"""Assets from folders of images: the user's own photographs and cut-outs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from depthmask.codec.metadata import move_keypoints
from depthmask.data import AssetCatalogue, Background, Camera, Foreground, Meta, Size
from depthmask.errors import UsageError
from depthmask.stage import setting, stage
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.stages.source._alpha import require_visible, visible_box
from depthmask.stages.source._copies import LocalCopy, local_copy
from depthmask.stages.source._folder import (
    FOLDERS,
    AssetError,
    Listing,
    listing,
    missing_folder,
    shown,
)
from depthmask.stages.source._inspection import (
    AssetOpeners,
    Inspection,
    InspectionResult,
    OnBadAsset,
)
from depthmask.stages.source._masks import load_mask
from depthmask.stages.source._names import (
    TABLE,
    cut_out_of_mask,
    meant_for,
    picture_meant,
)
from depthmask.stages.source._state import file_states, is_settled
from depthmask.stages.source._table import AssetTable, read_table
from depthmask.stages.source.base import Source
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.remote import ObjectPath
from depthmask.untrusted import other_accents

_LEAST_F_PX, _MOST_F_PX = 0.1, 100
"""Range of focal lengths relative to the width of the picture, from 157 to 0.6 degrees across.

Others are most likely in millimetres."""
_LAST_INSPECTION: dict[object, InspectionResult] = {}
"""The last inspection of this process, by settings and file states.

To see that no file has changed takes a hundredth of the time of another inspection."""


@stage("assets")
class Assets(Source):
    """A folder with `bg/` (backgrounds) and `fg/` (cut-outs), JPEG, PNG or WebP.

    Optional: `fg_mask/` with a mask of the same name for each cut-out that has no transparency of
    its own, `bg_depth/` with a 16-bit millimetre PNG for backgrounds (0 = invalid), `assets.csv`
    with the columns key, label and height_m (metres) for cut-outs, f_px (focal length in pixels
    of the file) for backgrounds, licence for either, and meta (a JSON object) or meta.NAME (a
    text), which go into the JSON of the samples, for either.

    All files are inspected before the first sample is planned. A file or a row of `assets.csv` that
    cannot be used ends the run; with `on_bad_asset=skip` it is left out, and its cut-out or
    background with it; `quarantine` also copies them to `quarantine/` of the output, with the
    reason.

    Backgrounds are cropped at the centre to the canvas's aspect and resized. Cut-outs are trimmed
    to what is visible, alpha above 16 of 255, and scaled so that the long side is
    `foreground_scale` of the canvas's shorter side; with `foreground_scale=null` they stay as they
    are. A mask may be grey, one colour on black, of 0 and 1, or in the file's transparency; one of
    several classes or objects cannot be used.
    """

    loads_quickly = True

    root: str = setting(by_content=True, help="the folder or URL that holds bg/ and fg/")
    foreground_scale: float | None = setting(
        150 / 160,
        gt=0,
        le=4,
        help="long side of a cut-out relative to the canvas's shorter side, or null",
    )
    on_bad_asset: OnBadAsset = setting(
        OnBadAsset.fail, help="stop at a file or a row that cannot be used, or leave it out"
    )

    def backgrounds(self) -> Sequence[str]:
        """File names in `bg/` without suffix."""
        return tuple(self._required_files("bg"))

    def foregrounds(self) -> Sequence[str]:
        """File names in `fg/` without suffix."""
        return tuple(self._required_files("fg"))

    def background(self, key: str, size: Size) -> Background:
        """The picture, cropped and resized, with depth if `bg_depth/` has it."""
        picture = images.load(self._required_files("bg")[key])
        depth = self._files("bg_depth").get(key)
        return Background(
            key=key,
            image=colours.resize_picture(picture, size),
            depth_m=None if depth is None else images.load_depth(depth, picture, size),
            camera=self._camera(key, picture, size),
            meta=self._meta(key, images.crop_box(picture, size), size),
        )

    def _meta(self, key: str, box: tuple[float, float, float, float], size: Size) -> Meta | None:
        """The metadata, moved from the file's pixels to those of its `box`, resized to `size`.

        box: left, top, right, bottom.
        """
        meta = self._table.row(key).meta
        if meta is None:
            return None
        left, top, right, bottom = box
        down, across = size[0] / (bottom - top), size[1] / (right - left)
        return move_keypoints(meta, (down, across), (-top * down, -left * across))

    def _camera(self, key: str, picture: Image.Image, size: Size) -> Camera | None:
        """A level camera; None without a focal length.

        Its height is 0, which means unknown; a fitted floor gives a better one.
        """
        f_px = self._table.row(key).f_px
        if f_px is None:
            return None
        if not _LEAST_F_PX <= f_px / picture.width <= _MOST_F_PX:
            raise AssetError(
                self._required_files("bg")[key],
                f"f_px={f_px:g} in {TABLE} for a picture of {picture.width} pixels across; f_px is "
                "in pixels of the file: millimetres x this width / width of the sensor",
            )
        height, width = size
        # The picture is cropped at the centre until it fills the canvas.
        scale = max(height / picture.height, width / picture.width)
        return Camera(f_px * scale, width / 2, height / 2, height_m=0.0, pitch=0.0)

    def foreground(self, key: str, size: Size) -> Foreground:
        """The cut-out, trimmed and scaled."""
        rgba = self._cut_out(key)
        box = (0, 0, *rgba.size)
        if self.foreground_scale is not None:
            box = visible_box(rgba.getchannel("A"))
            rgba = rgba.crop(box)
            scale = self.foreground_scale * min(size) / max(rgba.size)
            target = (max(1, round(rgba.width * scale)), max(1, round(rgba.height * scale)))
            if target != rgba.size:
                rgba = rgba.resize(target, Image.Resampling.LANCZOS)
        row = self._table.row(key)
        meta = self._meta(key, box, (rgba.height, rgba.width))
        return Foreground(key, row.label, np.asarray(rgba), height_m=row.height_m, meta=meta)

    def has_depth(self, key: str) -> bool:
        """Whether `bg_depth/` has depth for the background."""
        return key in self._files("bg_depth")

    def foreground_labels(self) -> Sequence[str]:
        """The labels in `assets.csv`, also of cut-outs that are left out, and that of the rest."""
        files = self._listings["fg"]
        keys = [*files.files, *(fault.path.stem for fault in files.faults)]
        return sorted({self._table.row(key).label for key in keys})

    def check(self, size: Size) -> AssetCatalogue:
        """Decode every asset; the digest covers names and contents of all files in use.

        The next job of a sweep does not decode assets again that have not changed.
        """
        self._forget_listings()
        with self._errors_with_url():
            states = file_states(self._root, FOLDERS)
        key = (type(self), repr(self), size, states)
        result = _LAST_INSPECTION.get(key)
        if result is None:
            with self._errors_with_url():
                result = self._inspect(size)
            _LAST_INSPECTION.clear()
            if is_settled(states):
                _LAST_INSPECTION[key] = result
        return replace(
            result.catalogue,
            origin=self.root.rstrip("/"),
            notes=self._notes(result),
            folders=tuple(str(self._location / folder) for folder in FOLDERS),
        )

    def _notes(self, result: InspectionResult) -> tuple[str, ...]:
        masks = f"{result.unused_masks} masks are not used, their cut-outs have alpha of their own"
        of_masks = (f"fg_mask/: {masks}",) if result.unused_masks else ()
        return (*self._copied(), *of_masks, *(f"{TABLE}: {note}" for note in self._table.notes))

    def _copied(self) -> Iterator[str]:
        """Yield what was copied to this machine, if anything was."""
        copies = None if isinstance(self._location, LocalPath) else self._copies
        if copies is not None and copies.files:
            yield (
                f"{self.root.rstrip('/')}: {copies.files:,} files of {copies.bytes:,} bytes were "
                f"copied to {copies.folder.parent}"
            )

    def _forget_listings(self) -> None:
        """Make the next use list the folders again, since files may have come or gone."""
        for name in ("_copies", "_listings", "_table"):
            self.__dict__.pop(name, None)

    @contextmanager
    def _errors_with_url(self) -> Iterator[None]:
        """Replace the folder of a local copy in errors by the URL that it was copied from."""
        try:
            yield
        except PermissionError as error:
            raise _unreadable(error) from None
        except UsageError as error:
            if isinstance(self._location, LocalPath):
                raise
            raise UsageError(str(error).replace(str(self._root), self.root.rstrip("/"))) from None

    def _inspect(self, size: Size) -> InspectionResult:
        openers = AssetOpeners(
            open_background=lambda key: self.background(key, size),
            open_foreground=self._cut_out,
            has_alpha=self._has_alpha,
        )
        return Inspection(
            self._root, self._listings, self._table, self.on_bad_asset, openers
        ).result()

    def _has_alpha(self, key: str) -> bool:
        """Whether the file of a cut-out has transparency of its own."""
        return images.to_rgba(images.load(self._required_files("fg")[key])) is not None

    def __getstate__(self) -> dict[str, Any]:
        """Only the settings: each machine lists the folders, and keeps copies, by itself."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def _location(self) -> StorePath:
        """The folder or the object store of the root."""
        return location(self.root)

    @property
    def _root(self) -> Path:
        root = self._location
        if not isinstance(root, LocalPath):
            return self._copies.folder
        try:
            is_folder = root.is_dir()
        except PermissionError as error:
            raise _unreadable(error) from None
        if not is_folder:
            raise UsageError(f"source.root={self.root}: {_no_folder(root)}")
        return root

    def _required_files(self, folder: str) -> Mapping[str, Path]:
        if not (self._root / folder).is_dir():
            raise missing_folder(self._root, folder)
        return self._files(folder)

    def _files(self, folder: str) -> Mapping[str, Path]:
        return self._listings[folder].files

    @cached_property
    def _copies(self) -> LocalCopy:
        root = self._location
        assert isinstance(root, ObjectPath), "only object stores are copied"
        return local_copy(root)

    @cached_property
    def _listings(self) -> dict[str, Listing]:
        """The files of each folder, by key; listed once, since a folder may have thousands."""
        deeper = () if isinstance(self._location, LocalPath) else self._copies.deeper
        return {folder: listing(self._root, folder, deeper) for folder in FOLDERS}

    @cached_property
    def _table(self) -> AssetTable:
        return read_table(self._root / TABLE)

    def _cut_out(self, key: str) -> Image.Image:
        """The cut-out with alpha of its own, or with its mask as alpha."""
        path = self._required_files("fg")[key]
        picture = colours.load_picture(path)
        rgba = images.to_rgba(picture)
        if rgba is None:
            return images.with_alpha(picture, self._mask(path, picture))
        require_visible(path, rgba.getchannel("A"))
        return rgba

    def _without_mask(self, path: Path) -> str:
        """What is wrong with a picture in `fg/` that has no transparency and no mask."""
        owner = cut_out_of_mask(path.stem, (one for one in self._files("fg") if one != path.stem))
        if owner:
            to = shown(Path(f"fg_mask/{owner}{path.suffix}"))
            return f"most likely the mask of a cut-out; move it to {to}"
        reason = f"no transparency and no mask; cut it out, or add fg_mask/{path.stem}.png"
        return f"{reason}{self._mask_meant_for(path.stem)}"

    def _mask_meant_for(self, key: str) -> str:
        """A guess at the mask of a cut-out by the names in `fg_mask/`, or at that folder itself."""
        others = [one for one in self._files("fg_mask") if one not in self._files("fg")]
        by_cut_out = {picture_meant(one, self._files("fg")): one for one in others}
        if key in by_cut_out:
            file = self._files("fg_mask")[by_cut_out[key]]
            name = shown(Path(file.name))
            accents = other_accents(key, file.stem)
            return f" (fg_mask/{name} may be its mask: give it that name){accents}"
        folder = None if (self._root / "fg_mask").is_dir() else meant_for(self._root, "fg_mask")
        return (
            f" (did you mean {shown(Path(folder.name))}/? Rename it to fg_mask)" if folder else ""
        )

    def _mask(self, path: Path, picture: Image.Image) -> Image.Image:
        """The mask of a cut-out as alpha.

        Raises `AssetError` if it is missing, has another size, or is not the shape of one object.
        """
        mask_path = self._files("fg_mask").get(path.stem)
        if mask_path is None:
            raise AssetError(path, self._without_mask(path))
        mask = load_mask(mask_path)
        if mask.size != picture.size:
            raise AssetError(
                mask_path,
                f"{mask.height}x{mask.width}, but its cut-out {path.name} is "
                f"{picture.height}x{picture.width}; a mask needs the size of its cut-out",
            )
        require_visible(mask_path, mask)
        return mask


def _no_folder(root: Path) -> str:
    """Why a root cannot be listed, and what to do where it is a file, such as a zip."""
    if not root.exists():
        return "no such folder"
    return "is a file; give the folder that holds bg/ and fg/, and unpack it first if it is a zip"


def _unreadable(error: PermissionError) -> UsageError:
    return UsageError(
        f"{error.filename}: {error.strerror}; this user must be able to read source.root"
    )
