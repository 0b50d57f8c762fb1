"""A stage is one decorated class: its code, its config schema and its documentation.

    @stage("grid")
    class Grid(Placement):
        "Cells of a regular grid."
        rows: int = setting(4, ge=1, help="rows of cells")

`@stage` makes a keyword-only dataclass whose fields are the settings. OmegaConf reads the field
types as the schema, `depthmask plugins` and `--help` read the docstring and the help texts.
"""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_type_hints

from depthmask.errors import SettingError


class Stage(ABC):
    """What every stage has: the config group that it belongs to, and its name in it."""

    kind: ClassVar[str]
    name: ClassVar[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """The range of a setting; for a list, of each of its items."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def broken_by(self, value: float) -> str | None:
        """What was expected, if `value` lies outside."""
        for bound, holds, words in (
            (self.ge, lambda v, b: v >= b, "at least"),
            (self.gt, lambda v, b: v > b, "more than"),
            (self.le, lambda v, b: v <= b, "at most"),
            (self.lt, lambda v, b: v < b, "less than"),
        ):
            # A NaN fails every comparison, so it is refused by any bound.
            if bound is not None and not holds(value, bound):
                return f"must be {words} {bound:g}"
        return None

    def __str__(self) -> str:
        """As interval, `0..1` or `>= 1`."""
        if self.ge is not None and self.le is not None:
            return f"{self.ge:g}..{self.le:g}"
        pairs = ((">=", self.ge), (">", self.gt), ("<=", self.le), ("<", self.lt))
        return ", ".join(f"{sign} {bound:g}" for sign, bound in pairs if bound is not None)


def setting(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> Any:
    """A field of a stage; without a default the user must give it.

    help: one line for `--help`, with the unit. ge, gt, le, lt: the range of a number, or of each
    number in a list.
    """
    metadata = {"help": help, "limits": Limits(ge, gt, le, lt)}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


S = TypeVar("S")


@dataclass_transform(kw_only_default=True, field_specifiers=(setting,))
def stage(name: str) -> Callable[[type[S]], type[S]]:
    """Make a class a stage named `name`: a dataclass whose settings are checked when it is made."""

    def decorate(cls: type[S]) -> type[S]:
        cls = settings(cls)
        cls.name = name  # type: ignore[attr-defined]
        return cls

    return decorate


@dataclass_transform(kw_only_default=True, field_specifiers=(setting,))
def settings(cls: type[S]) -> type[S]:
    """Make a class a keyword-only dataclass whose ranges are checked when it is made."""
    own_check = cls.__dict__.get("__post_init__")

    def __post_init__(self: S) -> None:
        check_ranges(self)
        if own_check is not None:
            own_check(self)

    cls.__post_init__ = __post_init__  # type: ignore[attr-defined]
    return dataclasses.dataclass(kw_only=True)(cls)


def check_ranges(instance: Any) -> None:
    """Raise `SettingError` for the first field that lies outside its limits."""
    for field in dataclasses.fields(instance):
        limits = field.metadata.get("limits")
        value = getattr(instance, field.name)
        for number in value if isinstance(value, list) else [value]:
            if limits is None or isinstance(number, bool) or not isinstance(number, (int, float)):
                continue
            expected = limits.broken_by(number)
            if expected:
                raise SettingError(field.name, value, expected)


@dataclasses.dataclass(frozen=True, slots=True)
class SettingInfo:
    """One setting as `--help` shows it."""

    name: str
    type: str
    default: str
    help: str


def describe_settings(cls: type) -> list[SettingInfo]:
    """The settings of a stage class (or of the root), in the order of their definition."""
    hints = get_type_hints(cls)
    return [
        SettingInfo(
            field.name,
            _type_text(hints[field.name], field.metadata.get("limits")),
            _default_text(field),
            field.metadata.get("help", ""),
        )
        for field in dataclasses.fields(cls)
    ]


def _type_text(hint: Any, limits: Limits | None) -> str:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "|".join(member.name for member in hint)
    text = getattr(hint, "__name__", str(hint)) if isinstance(hint, type) else str(hint)
    text = text.replace("typing.", "").replace(" | ", "|")
    return f"{text} {limits}".strip() if limits is not None and str(limits) else text


def _default_text(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return str(field.default_factory())
    if field.default is dataclasses.MISSING:
        return "(required)"
    default = field.default
    if isinstance(default, Enum):
        return default.name
    return "null" if default is None else str(default)
