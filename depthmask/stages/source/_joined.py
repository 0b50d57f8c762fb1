"""Several roots as one source: the first keeps its keys, those of the others get its number."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Generic, TypeAlias, TypeVar

from depthmask.data import AssetCatalogue, AssetFiles, Background, Foreground, LeftOut, Size
from depthmask.errors import UsageError
from depthmask.stages.source._duplicates import duplicates
from depthmask.stages.source.base import Source
from depthmask.storage.location import with_home

_BETWEEN = re.compile(":(?!//)")
_WITH_LOST_SLASH = re.compile("(^|:)(s3|gs|memory|file):/(?!/)")
"""A URL that is no more than a typo, which has an error of its own."""
Keys: TypeAlias = Callable[[Source], Sequence[str]]
Contents: TypeAlias = Mapping[str, Sequence[str]]
"""Name of a picture -> the hashes of its files, such as those of a cut-out and its mask."""
S = TypeVar("S", bound=Source)


def roots_of(text: str) -> list[str]:
    """The folders and URLs of a `source.root`, as `A:B`; a folder may have a colon in its name."""
    is_one = ":" not in text or bool(_WITH_LOST_SLASH.search(text))
    if is_one or os.path.lexists(with_home(text)):
        return [text]
    roots = [one for one in _BETWEEN.split(text) if one]
    # Where nothing is there, an error had better name all of the text, such as a folder of Windows.
    is_any = any("://" in one or os.path.lexists(with_home(one)) for one in roots)
    return roots if is_any else [text]


class Joined(Generic[S]):
    """The sources of several roots, whose keys are `x`, `2/x`, `3/x`."""

    def __init__(self, sources: Sequence[S]) -> None:
        self._sources = sources

    def keys(self, of_source: Keys) -> tuple[str, ...]:
        """The keys of all sources, sorted; `UsageError` if two assets have the same."""
        return self._joined_keys([of_source(one) for one in self._sources])

    def _joined_keys(self, of_each: Sequence[Sequence[str]]) -> tuple[str, ...]:
        """The keys here, sorted, from those of each source."""
        prefixes = [prefix for prefix, _ in self._by_prefix]
        keys = [
            key
            for prefix, own_keys in zip(prefixes, of_each, strict=True)
            for key in _prefixed(prefix, own_keys)
        ]
        for key, count in Counter(keys).items():
            if count > 1:
                raise UsageError(
                    f"source.root: {key} is in the first folder, and in that of number "
                    f"{key.partition('/')[0]}; rename the folder {key.partition('/')[0]}/"
                )
        return tuple(sorted(keys))

    def owner(self, key: str) -> tuple[Source, str]:
        """The source of an asset, and the key that it has there."""
        for prefix, one in reversed(self._by_prefix):
            if key.startswith(prefix):
                return one, key.removeprefix(prefix)
        raise AssertionError("the first prefix is empty")

    def background(self, key: str, size: Size) -> Background:
        """The background, with its key here."""
        source, own_key = self.owner(key)
        return replace(source.background(own_key, size), key=key)

    def foreground(self, key: str, size: Size) -> Foreground:
        """The foreground, with its key here."""
        source, own_key = self.owner(key)
        return replace(source.foreground(own_key, size), key=key)

    def labels(self) -> list[str]:
        """The labels of all foregrounds."""
        return sorted({label for one in self._sources for label in one.foreground_labels()})

    def check(self, size: Size) -> AssetCatalogue:
        """The catalogue of all sources."""
        catalogues = {prefix: one.check(size) for prefix, one in self._by_prefix}
        every = list(catalogues.values())
        digests = "\n".join(one.digest for one in every)
        return AssetCatalogue(
            digest=blake2b(digests.encode(), digest_size=16).hexdigest(),
            left_out=tuple(
                _left_out(prefix, asset)
                for prefix, one in catalogues.items()
                for asset in one.left_out
            ),
            files=_sum_of_files(one.files for one in every),
            licences=_sum_of_licences(one.licences for one in every),
            backgrounds=self._joined_keys([one.backgrounds for one in every]),
            foregrounds=self._joined_keys([one.foregrounds for one in every]),
            notes=tuple(f"{one.origin}: {note}" for one in every for note in one.notes),
            foreground_labels=tuple(
                sorted({label for one in every for label in one.foreground_labels})
            ),
            folders=tuple(folder for one in every for folder in one.folders),
            hashes=_merged(catalogues, lambda one: one.hashes),
            background_splits=_merged(catalogues, lambda one: one.background_splits),
            foreground_splits=_merged(catalogues, lambda one: one.foreground_splits),
            background_licences=_merged(catalogues, lambda one: one.background_licences),
            foreground_licences=_merged(catalogues, lambda one: one.foreground_licences),
        )

    def copies(self, contents: Callable[[S], Contents], kind: str) -> Iterator[str]:
        """Yield a note about pictures of the same content in several roots, if there are any.

        contents: those of a source. kind: what the pictures are, in the plural.
        """
        firsts: dict[str, Sequence[str]] = {}
        for prefix, one in self._by_prefix:
            # Copies within a root are named by its own note.
            pictures = reversed(list(contents(one).items()))
            first = {tuple(hashes): name for name, hashes in pictures}
            firsts |= {f"{prefix}{name}": hashes for hashes, name in first.items()}
        yield from duplicates(firsts, f"{kind} of several roots")

    @property
    def _by_prefix(self) -> list[tuple[str, S]]:
        """Each source with what stands before its keys and names."""
        return [
            (f"{number}/" if number > 1 else "", one) for number, one in enumerate(self._sources, 1)
        ]


def _prefixed(prefix: str, names: Iterable[str]) -> Iterator[str]:
    return (f"{prefix}{name}" for name in names)


def _merged(
    catalogues: Mapping[str, AssetCatalogue],
    of_catalogue: Callable[[AssetCatalogue], Mapping[str, str]],
) -> dict[str, str]:
    return {
        f"{prefix}{name}": value
        for prefix, one in catalogues.items()
        for name, value in of_catalogue(one).items()
    }


def _left_out(prefix: str, asset: LeftOut) -> LeftOut:
    contents = {f"{prefix}{name}": content for name, content in asset.contents.items()}
    names = tuple(_prefixed(prefix, asset.names))
    return replace(asset, file=f"{prefix}{asset.file}", contents=contents, names=names)


def _sum_of_files(every: Iterable[Mapping[str, AssetFiles]]) -> dict[str, AssetFiles]:
    total: dict[str, AssetFiles] = {}
    for files in every:
        for kind, one in files.items():
            before = total.get(kind, AssetFiles(0, 0))
            total[kind] = AssetFiles(before.count + one.count, before.bytes + one.bytes)
    return total


def _sum_of_licences(every: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    total: dict[str, Counter[str]] = {}
    for licences in every:
        for kind, counts in licences.items():
            total.setdefault(kind, Counter()).update(counts)
    return {kind: dict(counts) for kind, counts in total.items()}
