"""Sources: where backgrounds and foregrounds come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from depthmask.data import AssetCatalogue, Background, Foreground, Size
from depthmask.stage import Stage


class Source(Stage):
    """Backgrounds and foregrounds by key.

    A key is a short text, unique in its list; the same key always gives the same pixels:
    `background` and `foreground` are pure functions of (settings, key, size). They are called in
    the process of the run and in its workers, each with a copy of the stage.
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
        """The background at the canvas size (height, width) in pixels."""

    @abstractmethod
    def foreground(self, key: str, size: Size) -> Foreground:
        """The foreground, trimmed to its visible pixels and scaled for a canvas of `size`."""

    def has_depth(self, key: str) -> bool:
        """Whether `background(key)` carries `depth_m` of its own."""
        return False

    @abstractmethod
    def check(self, size: Size) -> AssetCatalogue:
        """Inspect every asset, before the first sample is planned.

        A catalogue that names `backgrounds` and `foregrounds` restricts the run to those keys;
        otherwise the run uses all that the source lists after this call. Raises `UsageError`,
        which names the file, for anything that can be neither used nor left out.
        """


def catalogue_of(source: Source, size: Size) -> AssetCatalogue:
    """The catalogue of a source, with the keys of all assets in use; raises as `Source.check`."""
    catalogue = source.check(size)
    return replace(
        catalogue,
        # Plain copies of what a plugin may give as any mapping: workers get them by pickle.
        files=dict(catalogue.files),
        licences={kind: dict(counts) for kind, counts in catalogue.licences.items()},
        backgrounds=tuple(catalogue.backgrounds or source.backgrounds()),
        foregrounds=tuple(catalogue.foregrounds or source.foregrounds()),
    )
