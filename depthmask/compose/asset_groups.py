"""Which assets belong together by what their source says, such as those of one photograph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from depthmask.data import AssetCatalogue, brief
from depthmask.stage.calls import StageCalls
from depthmask.stages.source.base import Source

Asset: TypeAlias = tuple[int, str]
"""0 for a background and 1 for a foreground, and its key."""


@dataclass(frozen=True, slots=True)
class AssetGroups:
    """The group of each background and of each foreground; those that are alone are not listed."""

    backgrounds: Mapping[str, str]
    foregrounds: Mapping[str, str]

    __repr__ = brief

    def links(self) -> Iterator[tuple[Asset, Asset]]:
        """Yield pairs of assets of one group, which tie the whole group together."""
        first: dict[str, Asset] = {}
        for kind, groups in enumerate((self.backgrounds, self.foregrounds)):
            for key, group in groups.items():
                asset = first.setdefault(group, (kind, key))
                if asset != (kind, key):
                    yield asset, (kind, key)

    def cut_from(
        self, backgrounds: Sequence[str], foregrounds: Sequence[str]
    ) -> dict[str, tuple[int, ...]]:
        """A background -> the places of the foregrounds of its group, if there are any."""
        places: dict[str, list[int]] = defaultdict(list)
        if self.backgrounds:
            for place, key in enumerate(foregrounds):
                if group := self.foregrounds.get(key):
                    places[group].append(place)
        return {
            key: tuple(places[group])
            for key in backgrounds
            if (group := self.backgrounds.get(key)) in places
        }


def groups_of(source: Source, catalogue: AssetCatalogue) -> AssetGroups:
    """The groups that a source names for the assets in use; raises `StageError` for other names."""
    return AssetGroups(
        _groups(source, "background_group", source.background_group, catalogue.backgrounds),
        _groups(source, "foreground_group", source.foreground_group, catalogue.foregrounds),
    )


def _groups(
    source: Source, name: str, method: Callable[[str], str | None], keys: Sequence[str]
) -> dict[str, str]:
    if getattr(type(source), name) is getattr(Source, name):
        return {}
    calls, groups = StageCalls(source, name), {}
    for key in keys:
        with calls:
            group = method(key)
        if group is not None and (not isinstance(group, str) or not group):
            raise calls.returned(group, "a text, or None")
        if group is not None:
            groups[key] = group
    return groups
