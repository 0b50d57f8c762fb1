"""A folder of assets: which of its files can be a picture by name and kind, unopened."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depthmask.errors import UsageError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


class AssetError(UsageError):
    """A file that cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{shown(path)}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Listing:
    """files: by key, what can be opened. faults: what cannot, and need not be tried."""

    files: dict[str, Path]
    faults: tuple[AssetError, ...]


def listing(root: Path, folder: str) -> Listing:
    """The pictures of a folder in `root`, an empty listing if there is no such folder."""
    paths = [path for path in _sorted(root / folder) if _is_picture(path)]
    faults = [*_named_alike(paths), *_unfit(root, paths)]
    bad = {fault.path for fault in faults}
    files = {path.stem: path for path in paths if path not in bad}
    return Listing(files, tuple(sorted(faults, key=lambda fault: fault.path)))


def shown(path: Path) -> str:
    """A path as one line of text, whatever bytes its name has."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(char if _is_text(char) else repr(char)[1:-1] for char in text)


def _sorted(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _named_alike(paths: list[Path]) -> Iterator[AssetError]:
    """Two files of one name would make one key mean two things; which is meant, nobody knows.

    `Cup` and `cup` are two names here and one on macOS and Windows, as are the two spellings that
    Unicode has for most accents.
    """
    alike: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        alike[unicodedata.normalize("NFC", path.stem).casefold()].append(path)
    for group in alike.values():
        for path in group if len(group) > 1 else ():
            other = next(one for one in group if one != path)
            but = "" if path.stem == other.stem else " but for case or the spelling of accents"
            yield AssetError(
                path, f"{shown(Path(other.name))} has the same name{but}; rename one of them"
            )


def _unfit(root: Path, paths: list[Path]) -> Iterator[AssetError]:
    home = root.resolve()
    for path in paths:
        if reason := _reason(home, path):
            yield AssetError(path, reason)


def _reason(home: Path, path: Path) -> str | None:
    if not all(map(_is_text, path.name)):
        return "its name is not UTF-8 text; rename it"
    try:
        # Also for a link that leads back to itself, an OSError from Python 3.13 on.
        real = path.resolve(strict=True)
        kind = real.stat().st_mode
    except (OSError, RuntimeError):
        return "a link that leads nowhere; replace or remove it"
    if not real.is_relative_to(home):
        return "a link out of source.root; put the file itself there"
    # A pipe would be waited for, for ever.
    return None if stat.S_ISREG(kind) else "not a regular file; replace or remove it"


def _is_text(char: str) -> bool:
    """Neither a control character nor a byte that is no UTF-8."""
    return unicodedata.category(char) not in ("Cc", "Cs")
