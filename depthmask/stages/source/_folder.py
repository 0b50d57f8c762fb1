"""Lists a folder of assets, without opening files: pictures by key, and unusable files."""

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
    """The pictures of a folder.

    files: those to open, by key. faults: those that cannot be used, known without opening them.
    """

    files: dict[str, Path]
    faults: tuple[AssetError, ...]


def listing(root: Path, folder: str) -> Listing:
    """List a folder in `root`; an empty listing if there is no such folder."""
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
    """Yield an error for each file that shares its name with another, since keys must be unique.

    `Cup` and `cup` are two names on Linux, and one on macOS and Windows; the same holds for the two
    spellings that Unicode has for most accents.
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
    """Yield an error for each path that is not a regular file inside of `root`."""
    resolved_root = root.resolve()
    for path in paths:
        if reason := _reason(resolved_root, path):
            yield AssetError(path, reason)


def _reason(root: Path, path: Path) -> str | None:
    """Why a path cannot be used; None if it can."""
    if not all(map(_is_text, path.name)):
        return "its name is not UTF-8 text; rename it"
    try:
        # A link that leads back to itself raises RuntimeError, from Python 3.13 on OSError.
        real = path.resolve(strict=True)
        kind = real.stat().st_mode
    except (OSError, RuntimeError):
        return "a link that leads nowhere; replace or remove it"
    if not real.is_relative_to(root):
        return "a link out of source.root; put the file itself there"
    # To read from a pipe could take for ever.
    return None if stat.S_ISREG(kind) else "not a regular file; replace or remove it"


def _is_text(char: str) -> bool:
    """Whether the character is neither a control character nor a byte that is not UTF-8."""
    return unicodedata.category(char) not in ("Cc", "Cs")
