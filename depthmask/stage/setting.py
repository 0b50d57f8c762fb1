"""Defines a setting: its default, its help, its limits, and its effect on the dataset."""

from __future__ import annotations

import copy
import dataclasses
import math
import operator
from collections.abc import Iterator
from typing import Any, TypeVar, overload

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """The range of a setting, or of each number in a list or a mapping."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def violated_by(self, value: Any) -> str | None:
        """The limit that a number in `value` violates, as text; None if there is none."""
        return next(filter(None, map(self._violated, _numbers(value))), None)

    def _violated(self, number: float) -> str | None:
        for bound, is_inside, words in (
            (self.ge, operator.ge, "at least"),
            (self.gt, operator.gt, "more than"),
            (self.le, operator.le, "at most"),
            (self.lt, operator.lt, "less than"),
        ):
            # A NaN fails every comparison, so that any bound refuses it.
            if bound is not None and not is_inside(number, bound):
                return f"must be {words} {_text(bound)}"
        return None

    def is_empty(self) -> bool:
        """Whether no number is within the range."""
        lower = [bound for bound in (self.ge, self.gt) if bound is not None]
        upper = [bound for bound in (self.le, self.lt) if bound is not None]
        least, greatest = max(lower, default=-math.inf), min(upper, default=math.inf)
        is_open = least == self.gt or greatest == self.lt
        return least > greatest or (least == greatest and is_open)

    def __bool__(self) -> bool:
        """Whether there is any limit."""
        return any(bound is not None for bound in (self.ge, self.gt, self.le, self.lt))

    def __str__(self) -> str:
        """The range as `0..1` or `>= 1`."""
        if self.ge is not None and self.le is not None:
            return f"{_text(self.ge)}..{_text(self.le)}"
        pairs = ((">=", self.ge), (">", self.gt), ("<=", self.le), ("<", self.lt))
        return ", ".join(f"{sign} {_text(bound)}" for sign, bound in pairs if bound is not None)


def _numbers(value: Any) -> Iterator[float]:
    """Yield the numbers in a value, which may be nested lists and mappings."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def _text(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


@dataclasses.dataclass(frozen=True, slots=True)
class Traits:
    """What a field declares beside its type and default, as the arguments of `setting`."""

    help: str = ""
    limits: Limits = Limits()
    decides_bytes: bool = True
    by_content: bool = False
    in_plan: bool = True


def traits(field: dataclasses.Field[Any]) -> Traits:
    """What a field declares; a field that was not made by `setting` declares at most its help."""
    return Traits(**field.metadata)


def default_of(field: dataclasses.Field[Any]) -> Any:
    """The default of a field, as a new object; `dataclasses.MISSING` if it is required."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


# `setting` is no field specifier of `dataclass_transform`: type checkers would not see a default
# that is passed by position, and would require every setting.
@overload
def setting(
    *,
    help: str,
    ge: float | None = ...,
    gt: float | None = ...,
    le: float | None = ...,
    lt: float | None = ...,
    decides_bytes: bool = ...,
    by_content: bool = ...,
    in_plan: bool = ...,
) -> Any: ...
@overload
def setting(
    default: T,
    *,
    help: str,
    ge: float | None = ...,
    gt: float | None = ...,
    le: float | None = ...,
    lt: float | None = ...,
    decides_bytes: bool = ...,
    by_content: bool = ...,
    in_plan: bool = ...,
) -> T: ...
def setting(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    decides_bytes: bool = True,
    by_content: bool = False,
    in_plan: bool = True,
) -> Any:
    """Define a field of a stage; the user must set a field without a default.

    help: one line for `--help`, with the unit. ge, gt, le, lt: the limits of a number, or of each
    number in a list or a mapping. decides_bytes: False if samples are the same with any value, as
    with a batch size; another value then continues the dataset. by_content: for a `Path` of a
    file: its bytes decide about the dataset, its name and folder do not; for the `str` of a source
    that is a folder or URL: the digest of `Source.check` decides, and the place does not. in_plan:
    False for what concerns one run alone, as whether it looks at files again: it decides no bytes,
    and no later run has it from the plan.
    """
    metadata = {
        "help": help,
        "limits": Limits(ge, gt, le, lt),
        "decides_bytes": decides_bytes and in_plan,
        "by_content": by_content,
        "in_plan": in_plan,
    }
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=lambda: copy.deepcopy(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)
