"""Keeps what looking at assets has told, so that a later run looks at no file again in vain."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import load, save
from depthmask.asset_store.names import entry_name
from depthmask.stages.source._formats import optional_formats

_SETTLED_NS = 2 * 10**9
"""A file that changed more recently may change again without a new time, since the times of file
systems are coarse."""
_GROUP = "checks"
_in_memory: dict[str, dict[str, Any]] = {}
"""The looks at the last root of this process, by their name: the jobs of a sweep share them, also
where nothing can be kept on disk."""


class FileState(NamedTuple):
    """The state of a file, which is another one after any change.

    name: below the root. changed_ns: when it last changed, in nanoseconds of the epoch; 0 for the
    copy of an object, whose etag tells changes at once. rest: what else changes with the content.
    """

    name: str
    bytes: int
    changed_ns: int
    rest: str


@dataclass(frozen=True, slots=True, eq=False)
class Asset:
    """A picture to look at, with the mask or depth map that belongs to it.

    folder: of the picture. files: the states of these files. f_px: of the row of the picture.
    """

    folder: str
    key: str
    files: tuple[FileState, ...]
    f_px: float | None

    @property
    def state(self) -> str:
        """All that a look depends on, as text."""
        return f"{self.files} {self.f_px}"


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at an asset has told.

    hashes: of the contents of its files, empty for one that was not read. fault: the name of the
    file that cannot be used, and the reason, which is empty for a cut-out without transparency and
    mask: there it depends on the names of other files. has_alpha: whether a cut-out has
    transparency of its own. Nothing in it depends on the canvas or on other files.
    """

    asset: Asset
    hashes: Sequence[str]
    fault: tuple[str, str] | None = None
    has_alpha: bool = False

    @property
    def hash_of(self) -> Iterator[tuple[str, str]]:
        """The name and the hash of each file."""
        return zip((file.name for file in self.asset.files), self.hashes, strict=True)

    def is_lasting(self, read_at_ns: int) -> bool:
        """Whether a later run may trust it.

        The files must have settled before they were read. One that this user may not read is tried
        again by each run, since the right to it may belong to a folder above.
        """
        at_fault = None if self.fault is None else self.fault[0]
        is_read = all(content or at_fault not in (None, name) for name, content in self.hash_of)
        return is_read and all(has_settled(file, read_at_ns) for file in self.asset.files)


def content_hash(data: bytes) -> str:
    """The hash of the content of a file, as in `AssetCatalogue.hashes`."""
    return blake2b(data, digest_size=16).hexdigest()


def file_state(name: str, status: os.stat_result, version: str | None = None) -> FileState:
    """The state of a file on this machine; version: that of the object that it is a copy of."""
    if version is not None:
        return FileState(name, status.st_size, 0, version)
    modified, changed = status.st_mtime_ns, status.st_ctime_ns
    return FileState(
        name, status.st_size, max(modified, changed), f"{status.st_ino} {modified} {changed}"
    )


def has_settled(file: FileState, read_at_ns: int) -> bool:
    """Whether a file had not changed for so long that a change after it was read has a new time."""
    return file.changed_ns < read_at_ns - _SETTLED_NS


class KeptLooks:
    """The looks at the assets of one root that can be trusted, by the name of the picture.

    They are an entry of the asset store, which other runs and versions of this package share; one
    that is damaged or missing costs time alone.
    """

    def __init__(
        self, root: Path, url: str, rules: tuple[object, ...] = (), *, is_trusted: bool = True
    ) -> None:
        """url: of the object store that root is a copy of. rules: what else the looks depend on.

        With `rules`, which another process may have in another meaning, only this one keeps them.
        is_trusted: False to look at all assets again.
        """
        device = 0 if url else root.stat().st_dev
        # A name may have bytes that are no text.
        place = ascii(url or os.path.realpath(root))
        self._name = entry_name(_GROUP, place, device, ascii(rules), *optional_formats())
        self._is_on_disk = not rules
        self._before = self._loaded() if is_trusted else {}

    def __len__(self) -> int:
        return len(self._before)

    def get(self, asset: Asset) -> Look | None:
        """The look at an asset whose files and row were as they are now; None if there was none."""
        kept = self._before.get(asset.files[0].name)
        if kept is None or kept[0] != asset.state:
            return None
        _, hashes, fault, has_alpha = kept
        return Look(asset, hashes.split(","), fault, has_alpha)

    def replace(self, looks: list[Look]) -> None:
        """Keep these looks, which can be trusted, and no others."""
        # A few texts are read much faster than nested lists.
        plain = {
            one.asset.files[0].name: [
                one.asset.state,
                ",".join(one.hashes),
                one.fault,
                one.has_alpha,
            ]
            for one in looks
        }
        _in_memory.clear()
        _in_memory[self._name] = plain
        if self._is_on_disk:
            save(self._name, Entry(plain))

    def _loaded(self) -> Mapping[str, Any]:
        if self._name in _in_memory:
            return _in_memory[self._name]
        entry = load(self._name) if self._is_on_disk else None
        return {} if entry is None else entry.fields
