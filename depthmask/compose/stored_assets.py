"""Assets of a source from the asset store, which gets those that it lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from depthmask.asset_store import prepared
from depthmask.compose.results import (
    background_of,
    checked_background,
    checked_foreground,
    foreground_of,
)
from depthmask.data import Background, Foreground, Size
from depthmask.stage.calls import StageCalls, StageError
from depthmask.stages.source.base import Source


def stored_background(source: Source, key: str, size: Size) -> Background:
    """The background as `background_of` gives it, stored or made."""
    identity = background_identity(source, key, size)
    if identity is None:
        return background_of(source, key, size)
    background = prepared.load_background(source.name, identity, key)
    if background is None:
        background = background_of(source, key, size)
        prepared.save_background(source.name, identity, background)
    return background


def stored_foreground(source: Source, key: str, size: Size) -> Foreground:
    """The foreground as `foreground_of` gives it, stored or made."""
    identity = foreground_identity(source, key, size)
    if identity is None:
        return foreground_of(source, key, size)
    foreground = prepared.load_foreground(source.name, identity, key)
    if foreground is None:
        foreground = foreground_of(source, key, size)
        prepared.save_foreground(source.name, identity, foreground)
    return foreground


class StoredJpegs:
    """The JPEG files of backgrounds, whose strips composites share."""

    def __init__(self, source: Source, size: Size, settings: Sequence[object]) -> None:
        """settings: of the encoder."""
        self._source = source
        self._size = size
        self._settings = settings

    def get(self, key: str) -> memoryview | None:
        """The file of a background of the source; None if it is not stored."""
        identity = background_identity(self._source, key, self._size)
        if identity is None:
            return None
        return prepared.load_jpeg(self._source.name, identity, self._settings)

    def keep(self, key: str, content: bytes) -> None:
        """Store the file of a background, unless the source cannot tell what decides it."""
        identity = background_identity(self._source, key, self._size)
        if identity is not None:
            prepared.save_jpeg(self._source.name, identity, self._settings, content)


def store_seen(source: Source, asset: Background | Foreground, size: Size) -> None:
    """Store an asset that the check of its source has prepared; a sample names one that is bad."""
    with suppress(StageError):
        if isinstance(asset, Background):
            identity = background_identity(source, asset.key, size)
            calls = StageCalls(source, "background")
            background = checked_background(calls, asset, asset.key, size)
            if identity is not None:
                prepared.save_background(source.name, identity, background)
        else:
            identity = foreground_identity(source, asset.key, size)
            foreground = checked_foreground(StageCalls(source, "foreground"), asset, asset.key)
            if identity is not None:
                prepared.save_foreground(source.name, identity, foreground)


def lacks_background(source: Source, key: str, size: Size) -> bool:
    """Whether the store should have the background, and has not."""
    identity = background_identity(source, key, size)
    return identity is not None and not prepared.has_background(source.name, identity)


def lacks_foreground(source: Source, key: str, size: Size) -> bool:
    """Whether the store should have the foreground, and has not."""
    identity = foreground_identity(source, key, size)
    return identity is not None and not prepared.has_foreground(source.name, identity)


def background_identity(source: Source, key: str, size: Size) -> str | None:
    """What names a background in the store; None if it is not kept there."""
    return _identity(source, "background_identity", source.background_identity, key, size)


def foreground_identity(source: Source, key: str, size: Size) -> str | None:
    """What names a foreground in the store; None if it is not kept there."""
    return _identity(source, "foreground_identity", source.foreground_identity, key, size)


def _identity(
    source: Source,
    name: str,
    method: Callable[[str, Size], str | None],
    key: str,
    size: Size,
) -> str | None:
    calls = StageCalls(source, name)
    with calls:
        identity = method(key, size)
    if identity is not None and (not isinstance(identity, str) or not identity):
        raise calls.returned(identity, "a text, or None")
    return identity
