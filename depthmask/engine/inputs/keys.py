"""Names of samples after the paths of their pictures."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

_UNSAFE = re.compile(r'[.\\:*?"<>|]')
"""Dots, since a key ends at the first one, and what some file system does not allow in names."""
_LONGEST = 120
"""The most bytes of a key; a member adds its own name, and a shard that of its folder."""


def keys_of(paths: Sequence[str]) -> list[str]:
    """A key for each picture: its path without the suffix, as in `holiday/IMG_0123`.

    Keys are unique, for file systems that ignore case or the spelling of accents, too: pictures
    that differ in the suffix alone keep it (`cup_jpg`, `cup_png`), and others get a number.
    """
    stems = [_safe(str(PurePosixPath(path).with_suffix(""))) for path in paths]
    counts = Counter(map(_folded, stems))
    used: set[str] = set()
    keys = []
    for path, stem in zip(paths, stems, strict=True):
        preferred = stem if counts[_folded(stem)] == 1 else _safe(path)
        key = next(one for one in _numbered(preferred) if _folded(one) not in used)
        used.add(_folded(key))
        keys.append(key)
    return keys


def _numbered(key: str) -> Iterator[str]:
    yield key
    number = 2
    while True:
        yield f"{key}-{number}"
        number += 1


def _safe(path: str) -> str:
    """The path as a key: no dots, and nothing that an archive or a file system refuses."""
    text = unicodedata.normalize("NFC", path)
    text = "".join(char if char.isprintable() else "_" for char in _UNSAFE.sub("_", text))
    key = "/".join(filter(None, (part.strip() for part in text.split("/")))) or "_"
    if len(key.encode()) <= _LONGEST:
        return key
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    start = key.encode()[: _LONGEST - 9].decode(errors="ignore").rstrip("/ ")
    return f"{start}-{digest}"


def _folded(key: str) -> str:
    return key.casefold()
