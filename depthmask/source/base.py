"""Sources: where backgrounds and foregrounds come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from depthmask.data import Background, Foreground, Size
from depthmask.stage import Stage


class Source(Stage):
    """Lists of keys, and the prepared image behind each key.

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
    def check(self, size: Size) -> str:
        """Look at every asset before the first sample is planned; return a hash of their content.

        Raises `UsageError` that names the file, for anything that cannot be used.
        """
