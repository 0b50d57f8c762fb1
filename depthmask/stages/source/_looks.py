"""Keeps what looking at assets has told, so that a later run looks at no file again in vain."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import load, save
from depthmask.asset_store.names import entry_name

FileState: TypeAlias = list[str | int]
"""The name of a file below the root, its inode, its bytes, and the times of its modification and of
its status change in nanoseconds. Of an object in a store: its name, a text that stands for name,
bytes and etag, and its bytes."""
_SETTLED_NS = 2 * 10**9
"""A file that changed more recently may change again without a new time, since the times of file
systems are coarse."""
_GROUP = "checks"
_in_memory: dict[str, dict[str, Any]] = {}
"""The looks at the last root of this process, by their name: the jobs of a sweep share them, also
where nothing can be kept on disk."""


@dataclass(frozen=True, slots=True, eq=False)
class Asset:
    """A picture to look at, with the mask or depth map that belongs to it.

    folder: of the picture. files: the states of these files. f_px: of the row of the picture.
    """

    folder: str
    key: str
    files: list[FileState]
    f_px: float | None

    @property
    def names(self) -> list[str]:
        """The names of the files below the root."""
        return [str(state[0]) for state in self.files]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a picture, and at the mask or depth map that belongs to it, has told.

    files, f_px: as in `Asset`; the states are those before the files were read. hashes: of their
    contents, empty for one that was not read. fault: the name of the file that cannot be
    used, and the reason, which is empty for a cut-out without transparency and mask: there it
    depends on the names of other files. has_alpha: whether a cut-out has transparency of its own.
    Nothing in it depends on the canvas or on other files.
    """

    files: list[FileState]
    f_px: float | None
    hashes: list[str]
    fault: tuple[str, str] | None = None
    has_alpha: bool = False

    def is_lasting(self, read_at_ns: int) -> bool:
        """Whether a later run may trust it.

        The files must have settled before they were read. One that this user may not read is tried
        again by each run, since the right to it may belong to a folder above.
        """
        at_fault = None if self.fault is None else self.fault[0]
        is_read = all(
            content or at_fault not in (None, state[0])
            for state, content in zip(self.files, self.hashes, strict=True)
        )
        return is_read and all(_is_settled(state, read_at_ns) for state in self.files)


def content_hash(data: bytes) -> str:
    """The hash of the content of a file, as in `AssetCatalogue.hashes`."""
    return blake2b(data, digest_size=16).hexdigest()


def file_state(name: str, status: os.stat_result, version: str | None = None) -> FileState:
    """The state of a file on this machine; version: that of the object that it is a copy of."""
    if version is not None:
        return [name, version, status.st_size]
    return [name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _is_settled(state: FileState, read_at_ns: int) -> bool:
    return all(int(changed) < read_at_ns - _SETTLED_NS for changed in state[3:])


class KeptLooks:
    """The looks at the assets of one root that can be trusted, by the name of the picture.

    They are kept in a file of the cache folder. It has a checksum and is written whole, so that
    runs share it; one that is damaged or missing costs time alone.
    """

    def __init__(
        self, root: Path, url: str, rules: tuple[object, ...] = (), *, is_trusted: bool = True
    ) -> None:
        """url: of the object store that root is a copy of. rules: what else the looks depend on.

        With `rules`, which another process may have in another meaning, only this one keeps them.
        is_trusted: False to look at all assets again.
        """
        device = 0 if url else root.stat().st_dev
        place = url or os.path.realpath(root)
        self._name = entry_name(_GROUP, ascii(place), device, ascii(rules))
        self._is_on_disk = not rules
        self._before = self._loaded() if is_trusted else {}

    def __len__(self) -> int:
        return len(self._before)

    def get(self, asset: Asset) -> Look | None:
        """The look at an asset whose files and row were as they are now; None if there was none."""
        kept = self._before.get(str(asset.files[0][0]))
        if kept is None or kept[:2] != [asset.files, asset.f_px]:
            return None
        return Look(*kept)

    def replace(self, looks: list[Look]) -> None:
        """Keep these looks, which can be trusted, and no others."""
        plain = {
            str(one.files[0][0]): [one.files, one.f_px, one.hashes, one.fault, one.has_alpha]
            for one in looks
        }
        _in_memory.clear()
        _in_memory[self._name] = plain
        if self._is_on_disk:
            save(self._name, Entry(plain))

    def _loaded(self) -> Mapping[str, Any]:
        if self._name in _in_memory:
            return _in_memory[self._name]
        stored = load(self._name) if self._is_on_disk else None
        return {} if stored is None else stored.fields


@cache
def decoder() -> str:
    """The version of the library that decodes, which may refuse other files than an earlier one."""
    import PIL

    return PIL.__version__
