"""Folders of images: one's own photographs and cut-outs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import Enum
from functools import cached_property, partial
from hashlib import blake2b
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from depthmask.concurrency import cores
from depthmask.data import Background, Camera, Foreground, Size
from depthmask.errors import UsageError
from depthmask.stage import setting, stage
from depthmask.stages.source import _images as images
from depthmask.stages.source._copies import copies
from depthmask.stages.source._folder import SUFFIXES, AssetError, Listing, listing, shown
from depthmask.stages.source._state import is_settled, state_of
from depthmask.stages.source._table import Facts, Row, read_facts
from depthmask.stages.source.base import AssetCatalogue, AssetFiles, LeftOut, Source
from depthmask.storage.location import Address, location

_log = logging.getLogger(__name__)
_OWNERS = {"bg": "bg", "fg": "fg", "fg_mask": "fg", "bg_depth": "bg"}
"""The folder of the pictures that the files of a folder belong to, by name."""
_KINDS = {
    "bg": "backgrounds",
    "fg": "foregrounds",
    "fg_mask": "foreground_masks",
    "bg_depth": "background_depths",
}


class OnBadAsset(Enum):
    """What happens where a file cannot be used."""

    fail = "fail"
    skip = "skip"
    quarantine = "quarantine"


@dataclass(frozen=True, slots=True)
class _Looked:
    """What `check` found; listings: the files in use, by folder and key."""

    checked: AssetCatalogue
    listings: dict[str, dict[str, Path]]
    unused: int


_LAST: dict[object, _Looked] = {}
"""The last assets that this process looked at: 200 pictures of 640x480 take 0.3 s, 2 ms to find
untouched."""


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

        For the next job of a sweep, what nobody has touched since is not looked at again.
        """
        files = state_of(self._root, _OWNERS)
        state = (type(self), repr(self), size, files)
        looked = _LAST.get(state)
        if looked is None:
            with self._named_as_given():
                looked = self._look(size)
            _LAST.clear()
            if is_settled(files):
                _LAST[state] = looked
        self._listings = {folder: dict(files) for folder, files in looked.listings.items()}
        if looked.unused:
            _log.warning(
                "fg_mask/: %d masks are not used, their cut-outs have alpha of their own",
                looked.unused,
            )
        return looked.checked

    @contextmanager
    def _named_as_given(self) -> Iterator[None]:
        """An error names a copy by its URL."""
        try:
            yield
        except UsageError as error:
            raise UsageError(str(error).replace(str(self._root), self.root.rstrip("/"))) from None

    def _look(self, size: Size) -> _Looked:
        found = self._scan()
        self._listings = {folder: dict(one.files) for folder, one in found.items()}
        self._check_table(found)
        faults = [fault for one in found.values() for fault in one.faults]
        left_out = self._leave_out(faults)
        # What belongs to a file that is left out has left with it, so it is not tried any more.
        for look in (self._unpaired, partial(self._undecodable, size)):
            new = look()
            left_out += self._leave_out(new)
            faults += new
        faults.sort(key=lambda fault: fault.path)
        if faults and self.on_bad_asset is OnBadAsset.fail:
            raise UsageError(_in_one_line(faults))
        self._require_both(faults)
        unused = self._unused_masks()
        checked = AssetCatalogue(
            self._digest(),
            tuple(sorted(left_out, key=lambda one: one.file)),
            self._in_use(unused),
            self._licences(),
        )
        return _Looked(checked, self._listings, len(unused))

    def _scan(self) -> dict[str, Listing]:
        return {folder: listing(self._root, folder) for folder in _OWNERS}

    def _check_table(self, found: dict[str, Listing]) -> None:
        """A row may be of a picture that is left out, but not of one that never was."""
        known: set[str] = set()
        for folder in ("bg", "fg"):
            known |= found[folder].files.keys()
            known |= {fault.path.stem for fault in found[folder].faults}
        unknown = sorted(self._facts.keys() - known, key=str)
        if unknown:
            raise UsageError(f"{self._root / 'assets.csv'}: no picture named {unknown[0]}")

    def _unpaired(self) -> list[AssetError]:
        """Masks and depth maps of nothing: most likely there is an error in the name."""
        return [
            AssetError(path, f"no picture of that name in {owner}/; rename or remove it")
            for folder, owner in _OWNERS.items()
            for key, path in self._optional(folder).items()
            if key not in self._files(owner)
        ]

    def _undecodable(self, size: Size) -> list[AssetError]:
        # Decoding releases the GIL.
        with ThreadPoolExecutor(cores()) as threads:
            tried = [
                *threads.map(
                    lambda key: _fault(lambda: self.background(key, size)), self.backgrounds()
                ),
                *threads.map(lambda key: _fault(lambda: self._cut_out(key)), self.foregrounds()),
            ]
        return [fault for fault in tried if fault is not None]

    def _leave_out(self, faults: Iterable[AssetError]) -> list[LeftOut]:
        """Take the files at fault from the listings, and whatever belongs to them."""
        left_out = []
        for fault in faults:
            files = {fault.path}
            for folder, owner in _OWNERS.items():
                if owner == _OWNERS[fault.path.parent.name]:
                    files.add(self._listings[folder].pop(fault.path.stem, fault.path))
            copies = files if self.on_bad_asset is OnBadAsset.quarantine else ()
            left_out.append(
                LeftOut(
                    file=shown(fault.path.relative_to(self._root)),
                    reason=fault.reason,
                    copies=tuple(sorted(copies)),
                )
            )
        return left_out

    def _require_both(self, faults: Sequence[AssetError]) -> None:
        for folder in ("bg", "fg"):
            if not self._files(folder):
                reasons = [one for one in faults if _OWNERS[one.path.parent.name] == folder]
                raise UsageError(
                    f"{self._root / folder}: none of its pictures can be used: "
                    f"{_in_one_line(reasons)}"
                    if reasons
                    else f"{self._root / folder}: no {', '.join(SUFFIXES)} files; "
                    "put pictures there or choose another source.root"
                )

    def _unused_masks(self) -> set[str]:
        keys = list(self._optional("fg_mask"))
        with ThreadPoolExecutor(cores()) as threads:
            return set(compress(keys, threads.map(self._has_alpha, keys)))

    def _in_use(self, unused_masks: set[str]) -> dict[str, AssetFiles]:
        found = {}
        for folder, kind in _KINDS.items():
            unused = unused_masks if folder == "fg_mask" else set()
            used = [path for key, path in self._optional(folder).items() if key not in unused]
            if used:
                found[kind] = AssetFiles(len(used), sum(path.stat().st_size for path in used))
        return found

    def _licences(self) -> dict[str, dict[str, int]]:
        return {
            _KINDS[folder]: dict(
                Counter(
                    row.licence
                    for key in sorted(self._files(folder))
                    if (row := self._facts.get(key)) and row.licence
                )
            )
            for folder in ("bg", "fg")
        }

    def _has_alpha(self, key: str) -> bool:
        return images.to_rgba(images.load(self._files("fg")[key])) is not None

    def _digest(self) -> str:
        files = [path for listed in self._listings.values() for path in listed.values()]
        table = self._root / "assets.csv"
        if table.is_file():
            files.append(table)
        with ThreadPoolExecutor(cores()) as threads:
            lines = "".join(threads.map(self._digest_line, sorted(files)))
        return blake2b(lines.encode(), digest_size=16).hexdigest()

    def _digest_line(self, path: Path) -> str:
        """Name within the root and content: a root that moves stays the same."""
        content = blake2b(path.read_bytes(), digest_size=16).hexdigest()
        return f"{path.relative_to(self._root).as_posix()} {content}\n"

    def __getstate__(self) -> dict[str, Any]:
        """Settings and the names in use: where their copies lie is each machine's own affair."""
        state = {item.name: getattr(self, item.name) for item in fields(self)}
        if "_listings" in self.__dict__:
            state["_used"] = {
                folder: {key: path.name for key, path in files.items()}
                for folder, files in self._listings.items()
            }
        return state

    @property
    def _root(self) -> Path:
        place = location(self.root)
        if isinstance(place, Address):
            return self._copies
        root = place.expanduser()
        if not root.is_dir():
            raise UsageError(f"source.root={self.root}: no such folder")
        return root

    def _files(self, folder: str) -> dict[str, Path]:
        if not (self._root / folder).is_dir():
            raise UsageError(
                f"{self._root / folder}: no such folder; source.root needs bg/ and fg/"
            )
        return self._optional(folder)

    def _optional(self, folder: str) -> dict[str, Path]:
        return self._listings[folder]

    @cached_property
    def _copies(self) -> Path:
        place = location(self.root)
        assert isinstance(place, Address), "a folder needs no copy"
        return copies(place)

    @cached_property
    def _listings(self) -> dict[str, dict[str, Path]]:
        """Files by key, in their folders; after `check` those that can be used, in workers too."""
        used: dict[str, dict[str, str]] | None = self.__dict__.get("_used")
        if used is not None:
            root = self._root
            return {
                folder: {key: root / folder / name for key, name in names.items()}
                for folder, names in used.items()
            }
        return {folder: one.files for folder, one in self._scan().items()}

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


def _fault(attempt: Callable[[], object]) -> AssetError | None:
    try:
        attempt()
    except AssetError as fault:
        return fault
    return None


def _in_one_line(faults: Sequence[AssetError]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0]}{more}; source.on_bad_asset=skip leaves out what cannot be used"
