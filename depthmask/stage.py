"""Makes a stage from one decorated class: its code, its config schema and its documentation.

    @stage("grid")
    class Grid(Placement):
        "Cells of a regular grid."
        rows: int = setting(4, ge=1, help="rows of cells")

`@stage` makes a keyword-only dataclass whose fields are the settings. OmegaConf takes the schema
from the field types; `depthmask plugins` and `--help` show the docstring and the help texts.
"""

from __future__ import annotations

import dataclasses
import operator
from abc import ABC
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeVar, dataclass_transform, get_args, get_type_hints

from depthmask.errors import SettingError, UsageError


class Lookup(Protocol):
    """A function that returns the stage class of `kind=name`."""

    def __call__(self, kind: str, name: str) -> type[Stage]:
        """Return the class; raise `UsageError` if there is no such stage."""


class Stage(ABC):
    """The base class of all stages. kind: the config group. name: the name in that group."""

    kind: ClassVar[str]
    name: ClassVar[str]
    pixel_version: ClassVar[int] = 1
    """Raised by the author when the same settings and assets give other results."""

    def bind(self, lookup: Lookup) -> None:  # noqa: B027 (most stages create no others)
        """Receive the lookup of stage classes, for stages that create other stages.

        Called after a stage is created from a config; does nothing by default. The lookup can be
        kept in the stage, since it can be pickled.
        """

    def inner_stages(self) -> Sequence[Stage]:
        """The stages that this one uses; their pixel versions count for a dataset as well."""
        return ()


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """The range of a setting, or of each number in a list."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def violated_by(self, value: float) -> str | None:
        """The limit that `value` violates, as text; None if the value is within the range."""
        for bound, is_inside, words in (
            (self.ge, operator.ge, "at least"),
            (self.gt, operator.gt, "more than"),
            (self.le, operator.le, "at most"),
            (self.lt, operator.lt, "less than"),
        ):
            # A NaN fails every comparison, so that any bound refuses it.
            if bound is not None and not is_inside(value, bound):
                return f"must be {words} {_number(bound)}"
        return None

    def __str__(self) -> str:
        """The range as `0..1` or `>= 1`."""
        if self.ge is not None and self.le is not None:
            return f"{_number(self.ge)}..{_number(self.le)}"
        pairs = ((">=", self.ge), (">", self.gt), ("<=", self.le), ("<", self.lt))
        return ", ".join(f"{sign} {_number(bound)}" for sign, bound in pairs if bound is not None)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def setting(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> Any:
    """Define a field of a stage; the user must set a field without a default.

    help: one line for `--help`, with the unit. ge, gt, le, lt: the limits of a number, or of each
    number in a list.
    """
    metadata = {"help": help, "limits": Limits(ge, gt, le, lt)}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


S = TypeVar("S")


@dataclass_transform(kw_only_default=True)
def stage(name: str) -> Callable[[type[S]], type[S]]:
    """Make a class the stage `name`: a dataclass that checks its settings when it is created."""

    def decorate(cls: type[S]) -> type[S]:
        cls = settings(cls)
        cls.name = name  # type: ignore[attr-defined]
        _check_pixel_version(cls)
        return cls

    return decorate


def _check_pixel_version(cls: Any) -> None:
    """Raise `UsageError` unless `pixel_version` is a class attribute and a whole number."""
    version = getattr(cls, "pixel_version", 1)
    is_setting = "pixel_version" in [item.name for item in dataclasses.fields(cls)]
    if is_setting or type(version) is not int or version < 1:
        raise UsageError(
            f"stage {cls.name}: pixel_version must be a whole number, 1 or more, and no setting; "
            "write it without a type, as in `pixel_version = 2`"
        )


@dataclass_transform(kw_only_default=True)
def settings(cls: type[S]) -> type[S]:
    """Make a class a keyword-only dataclass that checks the ranges of its fields when created."""
    # The check of this class or an inherited one, so that a derived stage keeps the checks.
    check_of_class = getattr(cls, "__post_init__", None)

    def check(self: S) -> None:
        check_ranges(self)
        if check_of_class is not None:
            check_of_class(self)

    cls.__post_init__ = check  # type: ignore[attr-defined]
    return dataclasses.dataclass(kw_only=True)(cls)


def check_ranges(instance: Any) -> None:
    """Raise `SettingError` for the first field that lies outside its limits."""
    for field in dataclasses.fields(instance):
        limits = field.metadata.get("limits")
        value = getattr(instance, field.name)
        for number in value if isinstance(value, list) else [value]:
            if limits is None or isinstance(number, bool) or not isinstance(number, (int, float)):
                continue
            expected = limits.violated_by(number)
            if expected:
                raise SettingError(field.name, value, expected)


@dataclasses.dataclass(frozen=True, slots=True)
class SettingInfo:
    """A setting as `--help` shows it. choices: the values of an enum or a bool."""

    name: str
    type: str
    default: str
    help: str
    choices: tuple[str, ...]


def describe_settings(cls: type) -> list[SettingInfo]:
    """The settings of a stage class, or of the root, in the order of their definition."""
    hints = get_type_hints(cls)
    return [
        SettingInfo(
            name=field.name,
            type=_type_text(hints[field.name], field.metadata.get("limits")),
            default=_default_text(field),
            help=field.metadata.get("help", ""),
            choices=_choices(hints[field.name]),
        )
        for field in dataclasses.fields(cls)
    ]


def _choices(hint: Any) -> tuple[str, ...]:
    if hint is bool:
        return ("true", "false")
    if isinstance(hint, type) and issubclass(hint, Enum):
        return tuple(member.name for member in hint)
    return ()


def _type_text(hint: Any, limits: Limits | None) -> str:
    if choices := _choices(hint):
        return "|".join(choices)
    if hint is Any:
        return ""
    text = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
    text = text.replace("typing.", "").replace(" | ", "|").replace("None", "null")
    return f"{text} {limits}".strip() if limits is not None else text


def _default_text(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return str(field.default_factory())
    if field.default is dataclasses.MISSING:
        return "(required)"
    default = field.default
    if isinstance(default, Enum):
        return default.name
    if isinstance(default, bool):
        return str(default).lower()
    return "null" if default is None else str(default)
