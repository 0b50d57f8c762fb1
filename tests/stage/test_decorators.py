"""The decorator that makes a class a stage."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, Literal

import pytest

from depthmask.errors import SettingError, UsageError
from depthmask.stage import Stage, describe_settings, setting, settings, stage


class Mode(Enum):
    """Two ways."""

    fast = "fast"
    slow = "slow"


@settings
class Base(Stage):
    """A kind with a check of its own."""

    kind: ClassVar[str] = "thing"
    low: int = setting(1, ge=0, le=5, help="low end")

    def __post_init__(self) -> None:
        if self.low == 3:
            raise SettingError("low", self.low, "must not be 3")


@stage("thing")
class Thing(Base):
    """A thing."""

    mode: Mode = setting(Mode.fast, help="way")
    parts: list[float] = setting([0.5, 1.0], gt=0, le=1, help="parts")
    limit: float | None = setting(None, gt=0, help="limit [m]")
    loud: bool = setting(False, help="noise")
    path: str = setting(help="file")


@stage("narrow")
class Narrow(Thing):
    """One more check."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.limit is None:
            raise SettingError("limit", None, "is needed")


def test_a_stage_is_a_keyword_only_dataclass_with_a_name() -> None:
    thing = Thing(path="x")
    assert (thing.name, thing.kind, thing.low, thing.mode) == ("thing", "thing", 1, Mode.fast)
    assert dataclasses.replace(thing, low=2).low == 2
    with pytest.raises(TypeError):
        Thing(1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="path"):
        Thing()


def test_defaults_that_are_lists_are_not_shared() -> None:
    Thing(path="x").parts.append(9.0)
    assert Thing(path="x").parts == [0.5, 1.0]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"low": -1}, "low=-1: must be at least 0"),
        ({"low": 6}, "low=6: must be at most 5"),
        ({"parts": [0.5, 0.0]}, "parts=[0.5, 0.0]: must be more than 0"),
        ({"limit": math.nan}, "limit=nan: must be more than 0"),
        ({"low": 3}, "low=3: must not be 3"),
    ],
)
def test_ranges_are_checked_when_a_stage_is_made(values: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingError) as caught:
        Thing(path="x", **values)
    assert str(caught.value) == text
    assert isinstance(caught.value, UsageError)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("values", [{"low": 0}, {"low": 5}, {"parts": [1.0]}, {"parts": []}])
def test_the_ends_of_a_range_belong_to_it(values: dict[str, Any]) -> None:
    for name, value in values.items():
        assert getattr(Thing(path="x", **values), name) == value


def test_inherited_and_own_checks_both_run() -> None:
    with pytest.raises(SettingError, match="not be 3"):
        Narrow(path="x", limit=1.0, low=3)
    with pytest.raises(SettingError, match="is needed"):
        Narrow(path="x")
    with pytest.raises(SettingError, match="at least 0"):
        Narrow(path="x", limit=1.0, low=-1)
    assert Narrow(path="x", limit=1.0).name == "narrow"
    assert Thing.name == "thing"


@stage("wide")
class Wide(Base):
    """Settings that OmegaConf cannot check."""

    way: Literal["near", "far"] | None = setting("near", help="way")
    shares: dict[str, float] = setting({}, gt=0, help="share of each")
    corners: tuple[float, float] = setting((0, 1), help="corners")
    grid: list[list[float]] = setting([[1]], ge=0, help="grid")


@stage("wider")
class Wider(Wide):
    """A derived stage keeps the types of its settings."""

    more: Literal["a"] = setting("a", help="more")


@pytest.mark.parametrize("cls", [Wide, Wider])
def test_plain_data_become_what_the_types_say(cls: type[Any]) -> None:
    made = cls(shares={"a": 1}, corners=[2, 3], grid=[[1, 2], []])
    assert (made.shares, made.corners, made.grid) == ({"a": 1.0}, (2.0, 3.0), [[1.0, 2.0], []])
    assert type(made.shares["a"]) is type(made.corners[0]) is type(made.grid[0][0]) is float
    assert dataclasses.replace(made, way=None).way is None


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"way": "up"}, "way=up: must be one of near, far, null"),
        ({"shares": {"a": "x"}}, "shares={'a': 'x'}: must be a mapping {NAME: VALUE}, each value "),
        ({"shares": {"a": 0}}, "shares={'a': 0.0}: must be more than 0"),
        ({"corners": [1]}, "corners=[1]: must be a list, [a number, a number]"),
        ({"grid": [1]}, "grid=[1]: must be a list, each item a list, each item a number"),
        ({"grid": [[1], [-1]]}, "grid=[[1.0], [-1.0]]: must be at least 0"),
        ({"more": None}, "more=null: must be one of a"),
    ],
)
def test_values_of_another_type(values: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingError) as caught:
        Wider(**values)
    assert str(caught.value).startswith(text)


def test_defaults_that_are_mappings_are_not_shared() -> None:
    Wide().shares["a"] = 1.0
    Wide().grid[0].append(2.0)
    assert (Wide().shares, Wide().grid) == ({}, [[1.0]])


def test_the_pixel_version_is_1_unless_the_author_raises_it() -> None:
    @stage("later")
    class Later(Stage):
        """Gives other results than before."""

        pixel_version = 2

    assert Stage.pixel_version == 1
    assert Later.pixel_version == 2
    assert describe_settings(Later) == []


@pytest.mark.parametrize("version", [0, "2", 2.0, True, None])
def test_a_pixel_version_is_a_whole_number(version: object) -> None:
    with pytest.raises(UsageError, match="Wrong: pixel_version must be a whole number"):
        stage("wrong")(type("Wrong", (Stage,), {"pixel_version": version}))


def test_a_pixel_version_is_no_setting() -> None:
    with pytest.raises(UsageError, match="write it without a type, as in `pixel_version = 2`"):

        @stage("wrong")
        class Wrong(Stage):
            pixel_version: int = 2  # type: ignore[misc]


def test_a_setting_may_have_a_version_of_its_own() -> None:
    @stage("later")
    class Later(Base):
        """Gives other results where it is turned on."""

        setting_versions: ClassVar[Mapping[str, int]] = {"shadow": 2}

        shadow: float = setting(0.0, help="how dark")

    assert Later.setting_versions == {"shadow": 2}
    assert [one.name for one in describe_settings(Later)] == ["low", "shadow"]


@pytest.mark.parametrize("versions", [{"a": 0}, {"a": "2"}, {"a": 2.0}, {"a": True}, ["a"], None])
def test_a_setting_version_is_a_whole_number(versions: object) -> None:
    with pytest.raises(UsageError, match="Wrong: setting_versions must have whole numbers"):
        stage("wrong")(type("Wrong", (Stage,), {"setting_versions": versions}))


@pytest.mark.parametrize("name", ["shadw", "pixel_version", 2])
def test_a_setting_version_is_of_a_setting(name: object) -> None:
    with pytest.raises(UsageError, match=r"Wrong: setting_versions names .*, which is no setting"):

        @stage("wrong")
        class Wrong(Base):
            """Raises the version of what it does not have."""

            setting_versions: ClassVar[Mapping[object, int]] = {name: 2}  # type: ignore[assignment]

            shadow: float = setting(0.0, help="how dark")


def test_setting_versions_are_no_setting() -> None:
    with pytest.raises(UsageError, match="write `setting_versions: ClassVar"):

        @stage("wrong")
        class Wrong(Stage):
            setting_versions: dict[str, int] = {}  # type: ignore[misc]
