"""Counts why samples drew other assets: by reason, background and foreground."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from depthmask.errors import NoPlaceError

WHEN_IT_LOOKS_WRONG = 'docs/assets.md, "When it looks wrong"'
"""The page of the documentation that says what to do about redraws."""
_MOST_KEPT = 100
"""The most (reason, asset) of a shard that its record keeps, so that a record stays small."""
_MOST_REASONS = 4
_MOST_ASSETS = 3
_LONGEST = 300
"""The most characters of a reason and of a key."""
_KINDS = ("foreground", "background")


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason for redraws. draws: how many draws of assets had no place for this reason.

    assets: kind (`foreground`, `background`) -> (key, draws) of those that had it most often; empty
    for a rare reason, whose assets no record kept.
    """

    reason: str
    draws: int
    assets: dict[str, list[tuple[str, int]]]

    def __str__(self) -> str:
        what, _, remedy = self.reason.partition("; ")
        names = "; ".join(map(_names, self.assets, self.assets.values()))
        draws = "1 draw" if self.draws == 1 else f"{self.draws:,} draws"
        who = f": {names}" if names else ""
        return f"{draws}: {what}{who}" + (f"; {remedy}" if remedy else "")


class Redraws:
    """The draws of assets that had no place, by reason and by the assets at fault."""

    def __init__(self) -> None:
        self._draws: Counter[str] = Counter()
        self._assets: Counter[tuple[str, str, str]] = Counter()
        """(reason, kind, key) -> draws."""

    def __bool__(self) -> bool:
        return bool(self._draws)

    def add(self, error: NoPlaceError, background: str) -> None:
        """Count a draw on this background that had no place."""
        reason = _line(error.reason)
        self._draws[reason] += 1
        self._assets[reason, "background", _line(background)] += 1
        if error.foreground is not None:
            self._assets[reason, "foreground", _line(error.foreground)] += 1

    def merge(self, other: Redraws) -> None:
        """Add the draws of other samples."""
        self._draws.update(other._draws)
        self._assets.update(other._assets)

    def causes(self) -> Iterator[Cause]:
        """Yield the most frequent reasons with the assets that had them most often."""
        for reason, draws in self._draws.most_common(_MOST_REASONS):
            counts = {kind: self._counts(reason, kind) for kind in _KINDS}
            worst = {kind: one.most_common(_MOST_ASSETS) for kind, one in counts.items() if one}
            yield Cause(reason, draws, worst)

    def _counts(self, reason: str, kind: str) -> Counter[str]:
        return Counter(
            {
                key: count
                for (why, of, key), count in self._assets.items()
                if (why, of) == (reason, kind)
            }
        )

    def as_json(self) -> list[list[Any]]:
        """Return plain data for a record: [reason, draws], then [reason, kind, key, draws]."""
        draws = [list(item) for item in self._draws.most_common(_MOST_KEPT)]
        assets = [[*names, count] for names, count in self._assets.most_common(_MOST_KEPT)]
        return [*draws, *assets]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Redraws:
        """Read what `as_json` gave; raises for anything else. Call in `untrusted`."""
        redraws = cls()
        for *texts, count in data:
            if type(count) is not int or count < 1 or not all(map(_is_text, texts)):
                raise ValueError("redraws that no run has counted")
            if len(texts) == 1:
                redraws._draws[texts[0]] += count
            else:
                reason, kind, key = texts
                redraws._assets[reason, kind, key] += count
        return redraws


def _line(text: object) -> str:
    """A text of a plugin in one line that a terminal can show."""
    line = str(text)[:_LONGEST]
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else " " for char in line)


def _is_text(value: Any) -> bool:
    return type(value) is str and value.isprintable() and len(value) <= _LONGEST


def _names(kind: str, counts: Sequence[tuple[str, int]]) -> str:
    plural = "s" if len(counts) > 1 else ""
    return f"{kind}{plural} {', '.join(f'{key} ({count:,})' for key, count in counts)}"
