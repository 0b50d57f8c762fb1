"""Folders of images: one's own photographs and cut-outs."""

from __future__ import annotations

import csv
import logging
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
from PIL import Image

from depthmask.data import Background, Foreground, Size
from depthmask.errors import UsageError
from depthmask.machine import cores
from depthmask.source import _images as images
from depthmask.source.base import Source
from depthmask.stage import setting, stage

_log = logging.getLogger(__name__)


@stage("assets")
class Assets(Source):
    """A folder with `bg/` (backgrounds) and `fg/` (cut-outs), JPEG, PNG or WebP.

    Optional: `fg_mask/` with a mask of the same name for each cut-out that has no transparency of
    its own, `bg_depth/` with a 16-bit millimetre PNG for backgrounds (0 = invalid), `assets.csv`
    with the columns key, label and height_m for cut-outs.

    Backgrounds are cropped at the centre to the canvas's aspect and resized. Cut-outs are trimmed
    to their alpha and scaled so that the long side is `foreground_scale` of the canvas's shorter
    side; with `foreground_scale=null` they stay as they are.
    """

    root: str = setting(help="the folder that holds bg/ and fg/")
    foreground_scale: float | None = setting(
        150 / 160, gt=0, le=4, help="long side of a cut-out by the canvas's shorter side, or null"
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
        )

    def foreground(self, key: str, size: Size) -> Foreground:
        """Trimmed and scaled."""
        rgba = self._cut_out(key)
        if self.foreground_scale is not None:
            rgba = rgba.crop(rgba.getchannel("A").getbbox())
            scale = self.foreground_scale * min(size) / max(rgba.size)
            target = (max(1, round(rgba.width * scale)), max(1, round(rgba.height * scale)))
            if target != rgba.size:
                rgba = rgba.resize(target, Image.Resampling.LANCZOS)
        label, height_m = self._facts.get(key, ("foreground", None))
        return Foreground(key=key, label=label, rgba=np.asarray(rgba), height_m=height_m)

    def has_depth(self, key: str) -> bool:
        """Whether `bg_depth/` has the background."""
        return key in self._optional("bg_depth")

    def check(self, size: Size) -> str:
        """Decode every asset; the hash covers names and contents of all files."""
        for folder in ("bg", "fg"):
            if not self._files(folder):
                raise UsageError(
                    f"{self._root / folder}: no {', '.join(images.SUFFIXES)} files; "
                    "put pictures there or choose another source.root"
                )
        unknown = sorted(
            self._facts.keys() - self._files("fg").keys() - self._files("bg").keys(), key=str
        )
        if unknown:
            raise UsageError(f"{self._root / 'assets.csv'}: no picture named {unknown[0]}")
        # Decoding releases the GIL.
        with ThreadPoolExecutor(cores()) as threads:
            for _ in threads.map(lambda key: self.background(key, size), self.backgrounds()):
                pass
            masked = sum(threads.map(self._mask_is_ignored, self.foregrounds()))
            digests = list(threads.map(self._digest, self._all_files()))
        if masked:
            _log.warning(
                "fg_mask/: %d masks are not used, their cut-outs have alpha of their own", masked
            )
        return blake2b("".join(digests).encode(), digest_size=16).hexdigest()

    @property
    def _root(self) -> Path:
        root = Path(self.root).expanduser()
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
    def _listings(self) -> dict[str, dict[str, Path]]:
        folders = ("bg", "fg", "fg_mask", "bg_depth")
        return {folder: _listing(self._root / folder) for folder in folders}

    def _all_files(self) -> list[Path]:
        files = [path for listing in self._listings.values() for path in listing.values()]
        table = self._root / "assets.csv"
        return sorted([*files, table]) if table.is_file() else sorted(files)

    def _digest(self, path: Path) -> str:
        """Name within the root and content: a root that moves stays the same."""
        content = blake2b(path.read_bytes(), digest_size=16).hexdigest()
        return f"{path.relative_to(self._root).as_posix()} {content}\n"

    def _cut_out(self, key: str) -> Image.Image:
        path = self._files("fg")[key]
        picture = images.load(path)
        rgba = images.to_rgba(picture) or images.with_mask(picture, self._mask(path, picture))
        if rgba.getchannel("A").getbbox() is None:
            raise UsageError(f"{path}: wholly transparent; replace or remove it")
        return rgba

    def _mask(self, path: Path, picture: Image.Image) -> Image.Image:
        mask_path = self._optional("fg_mask").get(path.stem)
        if mask_path is None:
            raise UsageError(
                f"{path}: no transparency and no mask; cut it out, or add fg_mask/{path.stem}.png"
            )
        mask = images.load(mask_path)
        if mask.size != picture.size:
            raise UsageError(
                f"{mask_path}: {mask.height}x{mask.width}, but its cut-out {path.name} is "
                f"{picture.height}x{picture.width}; a mask needs the size of its cut-out"
            )
        return mask

    def _mask_is_ignored(self, key: str) -> bool:
        self._cut_out(key)
        return key in self._optional("fg_mask") and (
            images.to_rgba(images.load(self._files("fg")[key])) is not None
        )

    @cached_property
    def _facts(self) -> dict[str, tuple[str, float | None]]:
        """Label and real height [m] by key, from `assets.csv`."""
        path = self._root / "assets.csv"
        if not path.is_file():
            return {}
        try:
            # With or without the byte order mark that spreadsheets put in front.
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows = list(csv.DictReader(file))
        except (ValueError, csv.Error) as error:
            raise UsageError(f"{path}: cannot be read as UTF-8 CSV ({error})") from None
        if rows and "key" not in rows[0]:
            raise UsageError(f"{path}: no column named key in its first line")
        return {row["key"]: (row.get("label") or "foreground", _height(path, row)) for row in rows}


def _height(path: Path, row: dict[str, str]) -> float | None:
    text = row.get("height_m") or ""
    try:
        height = float(text) if text else None
    except ValueError:
        height = -1.0
    if height is not None and not 0 < height < math.inf:
        raise UsageError(f"{path}: height_m={text} of {row['key']} is not a number of metres")
    return height


def _listing(folder: Path) -> dict[str, Path]:
    """Pictures by key; two files of one name would make one key mean two things."""
    found: dict[str, Path] = {}
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in paths:
        if path.suffix.lower() not in images.SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise UsageError(f"{path} and {found[path.stem].name} share a name; rename one of them")
        found[path.stem] = path
    return found
