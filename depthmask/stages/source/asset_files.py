"""The files of a source: none leads out of its root, each has one content, and is looked at once.

For sources of plugins, too, which read pictures as `source=assets` does.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import numpy as np

from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import load, save
from depthmask.asset_store.names import entry_name
from depthmask.data import Size, UInt8
from depthmask.errors import DepthmaskError, refuse_machine_errors, way_on
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.stages.source._folder import AssetError, shown
from depthmask.stages.source._looking import look_at
from depthmask.stages.source._looks import FileState, content_hash, file_state, has_settled
from depthmask.untrusted import is_one_line

_GROUP = "checks"
_States: TypeAlias = tuple[FileState, ...]
"""The states of a file and of those that are read with it."""


@dataclass(frozen=True, slots=True)
class FileLook:
    """What a look at a file has told.

    hashes: of the contents of the file and of those read with it, by their names. facts: what
    `look` returned, plain JSON. fault: why it cannot be used, and what to do; empty if it can.
    """

    name: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    facts: Any = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A look, and the states of its files at that time."""

    states: _States
    look: FileLook

    def is_lasting(self, read_at_ns: int) -> bool:
        """Whether a later run may trust it."""
        is_read = all(self.look.hashes.get(one.name) for one in self.states)
        return is_read and all(has_settled(one, read_at_ns) for one in self.states)


class AssetFolder:
    """Files below a folder, by names as `train/a.jpg`, of which nobody knows who wrote them.

    Can be pickled: the copy refuses files that have changed since they were looked at.
    """

    def __init__(self, root: str | Path) -> None:
        """root: an existing folder on this machine."""
        self._root = Path(root)
        self._real = os.path.realpath(root)
        self._hashes: dict[str, str] = {}
        self._sizes: dict[str, int] = {}

    @property
    def hashes(self) -> Mapping[str, str]:
        """The hash of each file that was looked at or read, by its name."""
        return self._hashes

    @property
    def sizes(self) -> Mapping[str, int]:
        """The bytes of each file that was looked at, by its name."""
        return self._sizes

    def path(self, name: str) -> Path:
        """The path of a file; raises `AssetError` for a name that leads out of the folder."""
        path = self._root / name
        if reason := _fault_of_name(name):
            raise AssetError(path, reason)
        return path

    def state(self, name: str) -> FileState:
        """The state of a regular file inside of the folder; `AssetError` for anything else."""
        path = self.path(name)
        try:
            real = os.path.realpath(path, strict=True)
            status = os.stat(real)
        except (OSError, ValueError) as error:
            raise self._unreadable(path, error) from None
        if not real.startswith(f"{self._real.rstrip('/')}/"):
            raise AssetError(path, "a link out of its folder; put the file itself there")
        if not stat.S_ISREG(status.st_mode):
            # To read from a pipe could take for ever.
            raise AssetError(path, "not a regular file; replace or remove it")
        return file_state(name, status)

    def read(self, name: str, most_bytes: int | None = None) -> bytes:
        """The content of a file; raises `AssetError` if it is none to read, or larger.

        Raises `DepthmaskError` if it is another content than was read before.
        """
        state, path = self.state(name), self.path(name)
        if most_bytes is not None and state.bytes > most_bytes:
            raise AssetError(
                path, f"{state.bytes:,} bytes, the most is {most_bytes:,}; make it smaller"
            )
        data = images.read(path)
        content = content_hash(data)
        if self._hashes.setdefault(name, content) != content:
            raise DepthmaskError(
                f"{shown(path)}: changed since the run looked at it; run the command again"
            )
        return data

    def look(
        self,
        names: Sequence[str],
        look: Callable[[str, bytes], Any],
        topic: str,
        progress: Callable[[int], AbstractContextManager[Callable[[int], None]]],
        *,
        read_with: Callable[[str], Sequence[str]] = lambda name: (),
        recheck: bool = False,
        most_bytes: int | None = None,
    ) -> dict[str, FileLook]:
        """Look at files: at new and changed ones by `look`, of the others the looks are kept.

        look(name, data): returns what is to know as plain JSON, or raises `AssetError`; called in
        several threads. topic: names what `look` does, with a number that changes with it.
        read_with: the names of other files that `look` reads with one. recheck: whether to look at
        all of them. most_bytes: of a file; a larger one is at fault.
        """
        looks = _KeptLooks(self._root, self._real, topic, is_trusted=not recheck)
        states, faults = self._states(names, read_with)
        kept = look_at(
            states, looks, partial(self._look, look, most_bytes), lambda count, _: progress(count)
        )
        seen = {one.look.name: one.look for one in kept}
        self._sizes.update((one.name, one.bytes) for of_one in states for one in of_one)
        for one in seen.values():
            self._hashes.update(one.hashes)
        return {name: faults.get(name) or seen[name] for name in names}

    def _states(
        self, names: Iterable[str], read_with: Callable[[str], Sequence[str]]
    ) -> tuple[list[_States], dict[str, FileLook]]:
        """The states of files, and looks at those that have none."""
        states, faults = list[_States](), {}
        for name in names:
            try:
                states.append(tuple(map(self.state, (name, *read_with(name)))))
            except AssetError as error:
                faults[name] = FileLook(name, fault=self._fault(name, error))
        return states, faults

    def _look(
        self, look: Callable[[str, bytes], Any], most_bytes: int | None, states: _States
    ) -> _Kept:
        names = [one.name for one in states]
        # A file that has changed since an earlier check of this process is a new one.
        for name in names:
            self._hashes.pop(name, None)
        facts, fault = None, ""
        try:
            facts = look(names[0], self.read(names[0], most_bytes))
        except AssetError as error:
            fault = self._fault(names[0], error)
        hashes = {name: self._hashes[name] for name in names if name in self._hashes}
        return _Kept(states, FileLook(names[0], hashes, facts, fault))

    def _fault(self, name: str, error: AssetError) -> str:
        """What is wrong with a file, or with one that is read with it, which is named."""
        is_other = error.path != self._root / name
        return f"{shown(error.path)}: {error.reason}" if is_other else error.reason

    def picture(self, name: str, data: bytes | None = None) -> UInt8:
        """A picture in sRGB, upright: uint8 [h, w, 3]. data: its content, if it is in memory.

        Raises `AssetError`.
        """
        data = self.read(name) if data is None else data
        return np.asarray(images.to_rgb(colours.load_picture(self.path(name), data)))

    def picture_for(self, name: str, size: Size, data: bytes | None = None) -> tuple[UInt8, Size]:
        """A picture cropped at the centre and resized to `size`, and the size of the file, upright.

        data: its content, if it is in memory. Raises `AssetError`.
        """
        data = self.read(name) if data is None else data
        picture = images.load_for(self.path(name), data, size)
        pixels = colours.resize_picture(picture, size)
        return pixels, (picture.height, picture.width)

    def values(self, name: str, data: bytes | None = None) -> UInt8:
        """The values of a PNG as in the file, of a palette the numbers: uint8 [h, w].

        data: its content, if it is in memory. Raises `AssetError` for anything but 8 bits of grey
        or of a palette.
        """
        data = self.read(name) if data is None else data
        image = images.load(self.path(name), data)
        if image.mode not in ("L", "P"):
            raise AssetError(
                self.path(name), f"mode {image.mode}; numbers need a grey or palette PNG of 8 bits"
            )
        return np.asarray(image)

    def _unreadable(self, path: Path, error: OSError | ValueError) -> AssetError:
        if isinstance(error, PermissionError):
            return AssetError(path, f"{error.strerror}{way_on(error)}")
        if getattr(error, "errno", None) == errno.ELOOP:
            return AssetError(path, "a link that leads nowhere; replace or remove it")
        refuse_machine_errors(path, error)
        return AssetError(path, "no such file; add it, or remove what refers to it")


def _fault_of_name(name: str) -> str:
    """Why a name may not be that of a file below a folder; empty if it may."""
    if not name or not is_one_line(name) or len(name) > 4096:
        return "not a name of a file; it must be a text of one line"
    if "://" in name:
        return "a URL; only files below the folder are read"
    if name.startswith(("/", "\\", "~")) or PurePosixPath(name).is_absolute() or "\\" in name:
        return "leads out of its folder; names must be relative, with / between folders"
    if {"", ".", ".."} & set(name.split("/")):
        return "leads out of its folder; names must be relative, without . and .."
    return ""


class _KeptLooks:
    """The looks at files of one folder, an entry of the asset store."""

    def __init__(self, root: Path, real: str, topic: str, *, is_trusted: bool) -> None:
        self._name = entry_name(_GROUP, topic, ascii(real), root.stat().st_dev)
        entry = load(self._name) if is_trusted else None
        self._before = {} if entry is None else dict(entry.fields)

    def __len__(self) -> int:
        return len(self._before)

    def get(self, states: _States) -> _Kept | None:
        """The look at files that were as they are now; None if there was none."""
        kept = self._before.get(states[0].name)
        if kept is None or kept[0] != str(states):
            return None
        return _Kept(states, FileLook(states[0].name, *kept[1:]))

    def replace(self, looks: Sequence[_Kept]) -> None:
        """Keep these looks, and no others."""
        plain = {
            one.look.name: [str(one.states), dict(one.look.hashes), one.look.facts, one.look.fault]
            for one in looks
        }
        save(self._name, Entry(plain))
