"""Describes settings for `--help`, completion and error messages."""

from __future__ import annotations

import dataclasses
from typing import Any

from depthmask.stage.decorators import setting_types
from depthmask.stage.setting import Traits, default_of, traits
from depthmask.stage.types import choices, plain, type_text


@dataclasses.dataclass(frozen=True, slots=True)
class SettingInfo:
    """A setting as `--help` shows it.

    choices: the values of an enum, a `Literal` or a bool. note: its effect on the dataset, if that
    is special.
    """

    name: str
    type: str
    default: str
    help: str
    choices: tuple[str, ...]
    note: str


def describe_settings(cls: type) -> list[SettingInfo]:
    """The settings of a stage class, or of the root, in the order of their definition."""
    hints = setting_types(cls)
    return [_describe(field, hints[field.name]) for field in dataclasses.fields(cls)]


def _describe(field: dataclasses.Field[Any], hint: Any) -> SettingInfo:
    declared = traits(field)
    return SettingInfo(
        name=field.name,
        type=f"{type_text(hint)} {declared.limits}".strip(),
        default=_default_text(field),
        help=declared.help,
        choices=choices(hint),
        note=_note(declared),
    )


def _note(declared: Traits) -> str:
    if declared.by_content:
        return "its content counts, not its name"
    return "" if declared.decides_bytes else "decides no bytes"


def _default_text(field: dataclasses.Field[Any]) -> str:
    default = default_of(field)
    if default is dataclasses.MISSING:
        return "(required)"
    if isinstance(default, bool):
        return str(default).lower()
    return "null" if default is None else str(plain(default))
