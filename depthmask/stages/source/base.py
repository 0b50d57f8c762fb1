"""Sources: where backgrounds and foregrounds come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from depthmask.data import Background, Foreground, Size
from depthmask.stage import Stage


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An asset that is not used.

    file: the file at fault, relative to the source's root. copies: files that the run keeps a copy
    of, with the reason beside it, in `quarantine/` of the output.
    """

    file: str
    reason: str
    copies: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetFiles:
    """How many files of a kind are in use, and their bytes together."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class AssetCatalogue:
    """What `Source.check` found.

    digest: a hash of names and contents of all assets in use. files: what they take on the disk, by
    kind (`backgrounds`, `foregrounds`, `foreground_masks`, `background_depths`); none where a
    source makes its pictures. licences: of how many of them each is the licence, by kind
    (`backgrounds`, `foregrounds`), as their owner gave it.
    """

    digest: str
    left_out: tuple[LeftOut, ...] = ()
    files: Mapping[str, AssetFiles] = field(default_factory=dict)
    licences: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Source(Stage):
    """Lists of keys, and the prepared image behind each key.

    `check` comes first, once; from then on the lists hold nothing that it left out, in the workers
    too: they get the source as it is after the check.

    A key is a short text, unique in its list; the same key always gives the same pixels.
    `background` and `foreground` must be pure functions of (settings, key, size).
    """

    kind: ClassVar[str] = "source"

    @abstractmethod
    def backgrounds(self) -> Sequence[str]:
        """Keys of all backgrounds, sorted."""

    @abstractmethod
    def foregrounds(self) -> Sequence[str]:
        """Keys of all foregrounds, sorted."""

    @abstractmethod
    def background(self, key: str, size: Size) -> Background:
        """The background at the canvas size (height, width)."""

    @abstractmethod
    def foreground(self, key: str, size: Size) -> Foreground:
        """The cut-out, trimmed to its alpha and scaled for a canvas of `size` (height, width)."""

    def has_depth(self, key: str) -> bool:
        """Whether `background(key)` carries `depth_m` of its own."""
        return False

    @abstractmethod
    def check(self, size: Size) -> AssetCatalogue:
        """Look at every asset before the first sample is planned.

        Raises `UsageError` that names the file, for anything that can be neither used nor left out.
        """
