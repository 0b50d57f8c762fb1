"""Classes that `@stage` refuses, with the line that says why."""

from __future__ import annotations

import dataclasses
import math
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest

from depthmask import Depth, Placement
from depthmask.errors import UsageError
from depthmask.stage import setting, stage

if TYPE_CHECKING:
    from decimal import Decimal


class Mode(Enum):
    """Two ways."""

    fast = "fast"
    slow = "slow"


def declare(
    hint: Any, default: Any = dataclasses.MISSING, *, field: str = "x", **traits: Any
) -> Any:
    """A stage with one setting."""
    body = {
        "__annotations__": {field: hint},
        field: setting(default, help="h", **traits),
        "__module__": __name__,
        "__qualname__": "Mine",
    }
    return stage("mine")(type("Mine", (Placement,), body))


@pytest.mark.parametrize(
    ("hint", "default", "reason"),
    [
        (int, "no", "the default 'no' must be a whole number"),
        (int, True, "the default True must be a whole number"),
        (int, None, "the default None must be a whole number"),
        (str, 1, "the default 1 must be a text"),
        (float, math.nan, "the default nan must be a number"),
        (Mode, "fast", "the default 'fast' must be one of fast, slow"),
        (Literal["a", "b"], "c", "the default 'c' must be one of a, b"),
        (Literal["1"], 1, "the default 1 must be one of 1"),
        (Path, "a", "the default 'a' must be a path"),
        (list[int], ["a"], "the default ['a'] must be a list, each item a whole number"),
        (dict[str, float], {"a": "b"}, "the default {'a': 'b'} must be a mapping"),
        (tuple[int, int], (1,), "the default (1,) must be a list, [a whole number, "),
        (str, "???", "the default '???' has a meaning for OmegaConf"),
        (str, "${x}", "the default '${x}' has a meaning for OmegaConf"),
        (bytes, b"", "no setting can have the type bytes; use int, float, bool, str, Path, "),
        (dict[int, float], {}, "no setting can have the type dict[int, float]; use int, "),
    ],
)
def test_types_and_defaults(hint: Any, default: Any, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        declare(hint, default)
    assert str(caught.value).startswith(f"{__name__}.Mine.x: {reason}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("hint", "default", "traits", "reason"),
    [
        (int, -1, {"ge": 0}, "the default -1 must be at least 0"),
        (list[float], [1.0, 5.0], {"lt": 5}, "the default [1.0, 5.0] must be less than 5"),
        (dict[str, float], {"a": 1}, {"gt": 2}, "the default {'a': 1} must be more than 2"),
        (str, "a", {"ge": 0}, ">= 0 limits numbers, and the setting is a text"),
        (bool, True, {"le": 0}, "<= 0 limits numbers, and the setting is true or false"),
        (int, dataclasses.MISSING, {"ge": 2, "le": 1}, "no number is 2..1"),
        (str, "a", {"by_content": True}, "by_content is for a Path, or Path | None"),
        (list[Path], [], {"by_content": True}, "by_content is for a Path, or Path | None"),
        (
            Path,
            dataclasses.MISSING,
            {"by_content": True, "decides_bytes": False},
            "a content that counts decides bytes",
        ),
    ],
)
def test_traits(hint: Any, default: Any, traits: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        declare(hint, default, **traits)
    assert str(caught.value).startswith(f"{__name__}.Mine.x: {reason}")


@pytest.mark.parametrize("field", ["place", "bind", "kind", "name", "stage", "defaults", "größe"])
def test_names_of_settings(field: str) -> None:
    with pytest.raises(UsageError, match=rf"Mine\.{field}: .*; choose another"):
        declare(int, 1, field=field)


@pytest.mark.parametrize("name", ["a b", "a/b", "", "true", "NaN", "größe", "1a", "-a", "a.yaml"])
def test_names_of_stages(name: str) -> None:
    with pytest.raises(UsageError, match=r"\.Mine: the command line cannot choose the name"):
        stage(name)(type("Mine", (Placement,), {}))


@pytest.mark.parametrize("name", ["a", "my_thing", "my-thing", "v1.2", "_x", "On"])
def test_names_that_can_be_chosen(name: str) -> None:
    assert stage(name)(type("Mine", (Placement,), {})).name == name  # type: ignore[attr-defined]


def test_a_name_is_needed() -> None:
    with pytest.raises(UsageError, match=r"Mine'> has no name for its stage: write @stage"):
        stage(type("Mine", (Placement,), {}))  # type: ignore[arg-type]


def test_what_is_no_stage() -> None:
    with pytest.raises(UsageError, match="derive it from a stage class"):
        stage("mine")(type("Mine", (), {}))


def test_a_type_that_is_not_defined() -> None:
    with pytest.raises(UsageError, match=r"Mine\.x: its type needs Decimal; define or import it"):

        @stage("mine")
        class Mine(Placement):
            x: Decimal = setting(help="h")


def test_a_mutable_default() -> None:
    with pytest.raises(UsageError, match=r"Mine: .* field x is not allowed: give it to setting"):

        @stage("mine")
        class Mine(Placement):
            x: list[int] = []


def test_a_setting_without_a_type() -> None:
    with pytest.raises(UsageError, match=r"Mine: 'x' is a field but has no type annotation"):

        @stage("mine")
        class Mine(Placement):
            x = setting(1, help="h")


def test_a_constructor() -> None:
    with pytest.raises(UsageError, match=r"Mine: @stage makes __init__; move its code to __post_"):

        @stage("mine")
        class Mine(Placement):
            def __init__(self) -> None:
                raise AssertionError


def test_a_parameter_that_is_no_setting() -> None:
    with pytest.raises(UsageError, match=r"Mine\.x: a setting cannot be an InitVar"):

        @stage("mine")
        class Mine(Placement):
            x: dataclasses.InitVar[int] = 1


def test_a_property_may_become_a_setting_with_a_default() -> None:
    @stage("mine")
    class Mine(Depth):
        batch_size: int = setting(4, help="h")

    assert "batch_size" in {field.name for field in dataclasses.fields(Mine)}
    with pytest.raises(UsageError, match="batch_size: its base class uses this name itself"):

        @stage("mine")
        class Other(Depth):
            batch_size: int = setting(help="h")


def test_what_worked_before_works() -> None:
    @stage("mine")
    class Mine(Placement):
        known: ClassVar[set[int]] = {1}
        plain: int = 4
        size: list[int] = setting((1, 2), help="h")  # type: ignore[arg-type]
        share: float = setting(1, help="h")
        most: float = setting(math.inf, help="h")
        either: int | float = setting(1.5, ge=1, help="h")
        table: Any = setting({}, help="h")

    assert len(dataclasses.fields(Mine)) == 6 + len(dataclasses.fields(Placement))
