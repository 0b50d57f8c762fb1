"""Guesses what other names were meant for: `backgrounds/` for `bg/`, `cup_mask` for `cup`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from depthmask.stages.source._formats import ASSET_SUFFIXES

TABLE = "assets.csv"
_OTHER_NAMES = {
    "bg": ("background", "backgrounds", "bgs", "backdrop", "backdrops"),
    "fg": ("foreground", "foregrounds", "fgs", "cutout", "cutouts"),
    "fg_mask": (
        *("mask", "masks", "fgmask", "fgmasks", "foregroundmask", "foregroundmasks"),
        *("alpha", "alphas", "matte", "mattes"),
    ),
    "bg_depth": (
        *("depth", "depths", "bgdepth", "bgdepths", "backgrounddepth", "backgrounddepths"),
        *("depthmap", "depthmaps"),
    ),
    TABLE: (
        "assetscsv",
        "assetcsv",
        "assettxt",
        "assetstxt",
        "assetstsv",
        "assetsxlsx",
        "assetsods",
    ),
}
"""The name of a folder or of the table -> names that people give it, without case and marks."""
_MEANINGS = {
    **{re.sub("[^a-z]", "", name): name for name in _OTHER_NAMES},
    **{other: name for name, others in _OTHER_NAMES.items() for other in others},
}
_MASK = "mask|masks|alpha|matte"
_WORDS = rf"(?:{_MASK}|depth|fg|bg|foreground|background)"
_MASK_WORDS = re.compile(rf"^{_WORDS}[ _.-]+|[ _.-]+{_WORDS}$")
_OF_MASK = re.compile(rf"^(?:{_MASK})[ _.-]+|[ _.-]+(?:{_MASK})$")
_CLOSE = 0.8
"""The least ratio of likeness of two names of which one may be a typo of the other."""


def all_meant_for(root: Path, name: str) -> list[Path]:
    """The entries of `root` that were most likely meant to be called `name`, sorted."""
    entries = sorted(root.iterdir()) if root.is_dir() else []
    is_table = name == TABLE
    return [
        path
        for path in entries
        if path.name != name
        and not path.name.startswith(".")
        and path.is_dir() != is_table
        and meaning(path.name) == name
    ]


def meant_for(root: Path, name: str) -> Path | None:
    """The first entry of `root` that was most likely meant to be called `name`, or None."""
    return next(iter(all_meant_for(root, name)), None)


def meaning(text: str) -> str | None:
    """The name of a folder, or of the table, that a text stands for."""
    close = get_close_matches(_plain(text), _MEANINGS, 1, _CLOSE)
    return _MEANINGS[close[0]] if close else None


def usual_meaning(text: str) -> str | None:
    """The same for the usual names alone, without typos; None for a hidden folder."""
    return None if text.startswith(".") else _MEANINGS.get(_plain(text))


def _plain(text: str) -> str:
    """A name without case and marks."""
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def is_called_table(name: str) -> bool:
    """Whether a file was most likely meant to be the table: `Assets.csv`, `assets.xlsx`."""
    return meaning(name) == TABLE


def cut_out_of_mask(stem: str, stems: Iterable[str]) -> str | None:
    """The cut-out of which a file is the mask by its name: `cup` for `cup_mask`; None if of none.

    stem, stems: names without suffix.
    """
    by_plain_name = {one.casefold(): one for one in stems}
    plain = _without_suffix(stem.casefold())
    cut_out = _OF_MASK.sub("", plain)
    return by_plain_name.get(cut_out) if cut_out != plain else None


def picture_meant(stem: str, stems: Iterable[str]) -> str | None:
    """The picture for which a file was most likely meant: `cup` for `cup_mask` or `Cup`.

    stem, stems: names without suffix. None if it was meant for none of them.
    """
    by_plain_name = {_without_words(one): one for one in stems}
    plain = _without_words(stem)
    if plain in by_plain_name:
        return by_plain_name[plain]
    in_folders = [name for name in by_plain_name if name.rpartition("/")[2] == plain]
    if len(in_folders) == 1:
        return by_plain_name[in_folders[0]]
    close = get_close_matches(plain, by_plain_name, 1, _CLOSE)
    # Pictures with numbers are all alike: `photo12` is no typo of `photo13`.
    has_number = bool(re.search(r"\d", plain))
    return by_plain_name[close[0]] if close and not has_number else None


def _without_words(stem: str) -> str:
    plain = _without_suffix(unicodedata.normalize("NFC", stem).casefold())
    # The name itself may be `mask`.
    return _MASK_WORDS.sub("", plain) or plain


def _without_suffix(name: str) -> str:
    """The name without a picture's suffix, as in `cup.jpg` of a mask `cup.jpg.png`."""
    return name.rpartition(".")[0] if name.endswith(ASSET_SUFFIXES) else name
