"""Keeps the names of what packages add: where several have a name, the user decides, or nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from depthmask.config.environment import PREFER, canonical, listed_in
from depthmask.config.provider import BUILT_IN, Provider
from depthmask.errors import UsageError


@dataclass(frozen=True, slots=True)
class Named:
    """What a package adds under a name. It is in `table` at `key` while the name means it."""

    provider: Provider
    table: dict[str, Any]
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Collision:
    """Names that the same packages have.

    meant: the package that `DEPTHMASK_PREFER` decides for; None while the names mean nothing.
    """

    names: tuple[str, ...]
    providers: tuple[Provider, ...]
    meant: Provider | None

    def __str__(self) -> str:
        are = "is" if len(self.names) == 1 else "are"
        text = f"{', '.join(self.names)} {are} in {' and in '.join(map(str, self.providers))}"
        if self.meant is not None:
            return f"{text}; {PREFER} decides for {self.meant}"
        return f"{text}; decide by {' or '.join(f'{PREFER}={one.name}' for one in self.providers)}"


class Names:
    """The names of everything that packages add, such as `placement=grid` or `command upload`.

    A name that two packages have means neither, unless `DEPTHMASK_PREFER` lists one of them.
    """

    def __init__(self) -> None:
        self._preferred = [canonical(package) for package in listed_in(PREFER)]
        self._named: dict[str, list[Named]] = {}

    def add(self, name: str, named: Named) -> Provider | None:
        """Add what a package has under a name.

        Returns the provider that keeps the name, `built-in` or the package itself; None if there is
        none, and then puts into its table what the name means now.
        """
        rivals = self._named.setdefault(name, [])
        if any(one.value == named.value for one in rivals):
            return None  # Two entry points of a package may name the same class.
        for one in rivals:
            if one.provider.name in (BUILT_IN, named.provider.name):
                return one.provider
        rivals.append(named)
        for one in rivals:
            one.table.pop(one.key, None)
        if (meant := self._meant(rivals)) is not None:
            meant.table[meant.key] = meant.value
        return None

    def providers(self, name: str) -> list[Provider]:
        """All that have the name."""
        return [one.provider for one in self._named.get(name, ())]

    def require_decided(self, name: str) -> None:
        """Raise `UsageError` for a name of several packages of which none is preferred."""
        rivals = self._named.get(name, [])
        if rivals and self._meant(rivals) is None:
            raise UsageError(str(Collision((name,), tuple(self.providers(name)), None)))

    def collisions(self) -> list[Collision]:
        """The names that several packages have, those of the same packages together."""
        by_packages: defaultdict[tuple[tuple[Provider, ...], Provider | None], list[str]]
        by_packages = defaultdict(list)
        for name, rivals in self._named.items():
            if len(rivals) > 1:
                meant = self._meant(rivals)
                provider = None if meant is None else meant.provider
                by_packages[tuple(self.providers(name)), provider].append(name)
        return [Collision(tuple(names), *packages) for packages, names in by_packages.items()]

    def by_preference(self, things: Iterable[Any]) -> list[Any]:
        """Things with a provider, those of preferred packages first."""
        return sorted(things, key=lambda thing: self._rank(thing.provider))

    def _meant(self, rivals: Sequence[Named]) -> Named | None:
        first = self.by_preference(rivals)[0]
        is_decided = len(rivals) == 1 or self._rank(first.provider) < len(self._preferred)
        return first if is_decided else None

    def _rank(self, provider: Provider) -> int:
        package = canonical(provider.name)
        in_list = package in self._preferred
        return self._preferred.index(package) if in_list else len(self._preferred)
