"""Lists the packages with entry points of depthmask, and what is wrong with their metadata."""

from __future__ import annotations

import difflib
import importlib.metadata
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from depthmask._version import __version__
from depthmask.config.environment import canonical
from depthmask.config.provider import Provider

GROUP = "depthmask"
_SIMPLE = re.compile(r"depthmask ?>= ?(\d+(?:\.\d+)*)")
"""The requirement that `new-plugin` writes."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package. entries: its entry points in the group `depthmask`, by name.

    requirements: what it requires, as in its metadata.
    """

    provider: Provider
    requirements: tuple[str, ...]
    entries: tuple[importlib.metadata.EntryPoint, ...]

    @property
    def names(self) -> list[str]:
        """The names of its entry points."""
        return [entry.name for entry in self.entries]


def read_entry_points() -> tuple[list[Package], list[str]]:
    """All packages with plugins, by name, and a warning for each misspelt group."""
    every = importlib.metadata.entry_points()
    packages = [_package(entries) for entries in _by_package(every.select(group=GROUP))]
    warnings = [
        f"{_provider(entries[0])}: nobody reads its entry points in the group {group!r}; name the "
        f"group {GROUP!r}"
        for group in sorted(filter(_is_misspelt, every.groups))
        for entries in _by_package(every.select(group=group))
    ]
    return sorted(packages, key=lambda package: package.provider.name), warnings


def unmet_requirement(package: Package) -> str | None:
    """The reason why a package cannot be used with this version of depthmask; None if it can.

    pip refuses such a package, unless it is told to ignore requirements.
    """
    for text in package.requirements:
        name = re.match(r"[\w.-]+", text)
        if name and canonical(name[0]) == GROUP and not _is_met(text):
            return (
                f"it requires {text}, and this is depthmask {__version__}; install another version "
                f"of {package.provider.name} or of depthmask"
            )
    return None


def _is_met(requirement: str) -> bool:
    simple = _SIMPLE.fullmatch(requirement)
    if simple and _numbers(__version__) >= _numbers(simple[1]):
        return True
    # Imported here, since it takes 10 ms, and most plugins do not need it.
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        required = Requirement(requirement)
    except InvalidRequirement:
        return True  # Nobody can tell, as for a package without metadata.
    is_asked = required.marker is None or required.marker.evaluate({"extra": ""})
    return not is_asked or required.specifier.contains(__version__, prereleases=True)


def _numbers(version: str) -> list[int]:
    """The parts of a version; none for one like `1.0rc1`."""
    parts = version.split(".")
    return list(map(int, parts)) if all(map(str.isdecimal, parts)) else []


def _by_package(
    entries: Iterable[importlib.metadata.EntryPoint],
) -> Iterator[list[importlib.metadata.EntryPoint]]:
    by_package = defaultdict(list)
    for entry in entries:
        by_package[id(entry.dist)].append(entry)
    yield from by_package.values()


def _package(entries: list[importlib.metadata.EntryPoint]) -> Package:
    dist = entries[0].dist
    requirements = tuple(dist.requires or ()) if dist else ()
    by_name = sorted(entries, key=lambda entry: entry.name)
    return Package(_provider(entries[0]), requirements, tuple(by_name))


def _provider(entry: importlib.metadata.EntryPoint) -> Provider:
    name, version = _field(entry.dist, "Name"), _field(entry.dist, "Version")
    return Provider(name or "unknown distribution", version)


def _field(package: importlib.metadata.Distribution | None, name: str) -> str:
    """A field of the metadata, "" if there is none: a package removed by hand may leave a folder.

    The properties of the package warn of a missing field since Python 3.12.
    """
    values = package.metadata.get_all(name) if package else None
    return values[0] if values else ""


def _is_misspelt(group: str) -> bool:
    letters = re.sub("[^a-z]", "", group.lower())
    plain = re.sub("(plugin|stage|entrypoint)?s?$", "", letters)
    return group != GROUP and bool(difflib.get_close_matches(GROUP, [plain], cutoff=0.85))
