"""Says in words how two plans differ, by the names that a user types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SAMPLES = "config.samples"
_INPUT = "dataset.sha256"
_STAGE = ".stage"
"""The end of the name of a field with the name of a stage."""
_CONTENTS = {
    "inputs": "the assets are not those that it was made from",
    _INPUT: "the samples or pictures of the input are not those that it was made from",
}
"""What to say of fields with a hash, which says nothing to people."""
_SCRIPT, _PACKAGE = "versions.", "packages."
"""Begin the names of the fields with the hash of a script, and with the package of a stage."""
_CONTRACT, _ASSETS = "depth.", "inputs"
"""Fields that follow from settings, and tell nothing beside a difference in these."""
_MOST_NAMED = 3
"""The most assets of a kind of change that a message names."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of two plans, such as `config.seed`, with the value in the old one and the new."""

    name: str
    old: Any
    new: Any

    @property
    def is_extension(self) -> bool:
        """Whether it is nothing but more samples, which are allowed."""
        return self.name == _SAMPLES and type(self.old) is int and self.old < self.new

    @property
    def is_setting(self) -> bool:
        """Whether the user can set the field."""
        return self.name.startswith("config.")


def telling(differences: Sequence[Difference]) -> list[Difference]:
    """The differences that forbid to go on and do not follow from another; the first come first.

    A stage that was replaced has other settings, and depth another meaning.
    """
    replaced = [one.name.removesuffix("stage") for one in differences if one.name.endswith(_STAGE)]
    job = [one for one in differences if one.name == "job"]
    kept = [one for one in differences if not _follows(one, differences, replaced)]
    return job + sorted((one for one in kept if one not in job), key=lambda one: not one.is_setting)


def _follows(one: Difference, differences: Iterable[Difference], replaced: Iterable[str]) -> bool:
    """Whether a difference says nothing beside the others."""
    others = [other for other in differences if other is not one]
    if one.name == _SAMPLES:
        # More are allowed, but those of an input tell how it differs.
        return one.is_extension and bool(others) and _INPUT not in {two.name for two in others}
    is_of_other_stage = one.name.startswith((_SCRIPT, _PACKAGE)) and None in (one.old, one.new)
    if one.name.startswith(_CONTRACT) or is_of_other_stage:
        return any(other.is_setting and other.name != _SAMPLES for other in others)
    if one.name == _ASSETS:
        return any(other.name == f"config.source{_STAGE}" for other in others)
    return not one.name.endswith(_STAGE) and one.name.startswith(tuple(replaced))


def setting_text(difference: Difference) -> str:
    """A difference by the name of the setting, as in `seed was 3 and is 4`."""
    if difference.name in _CONTENTS and difference.old and difference.new:
        return _CONTENTS[difference.name]
    if difference.name.startswith(_SCRIPT) and difference.old and difference.new:
        return f"the script {difference.name.removeprefix(_SCRIPT)} has changed"
    if difference.name.startswith(_PACKAGE):
        stage = difference.name.removeprefix(_PACKAGE)
        packages = (difference.old or "depthmask", difference.new or "depthmask")
        return f"{stage} was of the package {packages[0]} and is of {packages[1]}"
    name = difference.name.removeprefix("config.")
    if difference.is_setting:
        name = name.removesuffix(_STAGE)
    return f"{name} was {_value(difference.old)} and is {_value(difference.new)}"


def assets_text(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Which assets differ, as in `fg/chair.png changed, 2 new (fg/a.png, fg/b.png)`.

    old, new: the hash of each file by its name. Empty without old ones.
    """
    changes = {
        "changed": sorted(name for name in old if name in new and old[name] != new[name]),
        "new": sorted(new.keys() - old.keys()),
        "gone": sorted(old.keys() - new.keys()),
    }
    texts = [_of_kind(kind, names) for kind, names in changes.items() if names]
    return ", ".join(texts) if old else ""


def _of_kind(kind: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} {kind}"
    hidden = len(names) - _MOST_NAMED
    more = f" and {hidden:,} more" if hidden > 0 else ""
    return f"{len(names):,} {kind} ({', '.join(names[:_MOST_NAMED])}{more})"


def _value(value: Any) -> str:
    """A value as it is typed: `null`, `true`, `[1,2]`; of a whole stage its name."""
    if isinstance(value, dict) and "stage" in value:
        value = value["stage"]
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
