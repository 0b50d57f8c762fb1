"""Refuses stage classes whose declaration a run could not carry, when they are defined."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from depthmask.errors import UsageError
from depthmask.stage.base import Stage
from depthmask.stage.setting import Limits, Traits, default_of, traits
from depthmask.stage.types import SUPPORTED, WrongTypeError, convert, has, is_supported, words

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NO_NAMES = ("null", "true", "false", "inf", "nan")
"""Words that the command line reads as values, in small or capital letters."""
_NO_FIELDS = ("stage", "defaults", "_self_", "_content")
"""`plan.json` has the name of the stage under `stage`; the others have a meaning for Hydra."""


def refusal(cls: type, reason: str, field: str | None = None) -> UsageError:
    """The error for a class, or a field of it, in one line."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    return UsageError(f"{name}.{field}: {reason}" if field else f"{name}: {reason}")


def check_class(cls: type, name: str) -> None:
    """Raise `UsageError` for a class that cannot become the stage `name`."""
    reserved = name.lower() in _NO_NAMES or name.endswith(".yaml")
    if reserved or not _NAME.fullmatch(name):
        raise refusal(
            cls,
            f"the command line cannot choose the name {name!r}; use letters, digits, _, - and ., "
            f"the first a letter or _, and none of {', '.join(_NO_NAMES)}",
        )
    if not issubclass(cls, Stage):
        raise refusal(cls, "derive it from a stage class, such as depthmask.Placement")
    if "__init__" in vars(cls):
        raise refusal(cls, "@stage makes __init__; move its code to __post_init__")
    version = cls.pixel_version
    is_setting = "pixel_version" in inspect.get_annotations(cls)
    if is_setting or type(version) is not int or version < 1:
        raise refusal(
            cls,
            "pixel_version must be a whole number, 1 or more, and no setting; write it without a "
            "type, as in `pixel_version = 2`",
        )
    if not _are_versions(cls):
        raise refusal(
            cls,
            "setting_versions must have whole numbers, 1 or more, by the names of settings, and be "
            'no setting; write `setting_versions: ClassVar[Mapping[str, int]] = {"NAME": 2}`',
        )


def _are_versions(cls: type[Stage]) -> bool:
    """Whether `setting_versions` has versions, and is no setting."""
    versions: object = cls.setting_versions
    hint = inspect.get_annotations(cls).get("setting_versions", "ClassVar")
    return (
        "ClassVar" in str(hint)
        and isinstance(versions, Mapping)
        and all(type(one) is int and one >= 1 for one in versions.values())
    )


def check_settings(cls: type, hints: dict[str, Any]) -> None:
    """Raise `UsageError` for the first setting that a run could not carry.

    hints: the types of all settings, inherited ones too.
    """
    for name, hint in get_type_hints(cls).items():
        if isinstance(hint, dataclasses.InitVar):
            raise refusal(cls, "a setting cannot be an InitVar", name)
    for field in dataclasses.fields(cls):
        for problem in _problems(cls, field, hints[field.name]):
            raise refusal(cls, problem, field.name)
    for name in cls.setting_versions:  # type: ignore[attr-defined]
        if name not in hints:
            raise refusal(cls, f"setting_versions names {name!r}, which is no setting")


def _problems(cls: type, field: dataclasses.Field[Any], hint: Any) -> Iterator[str]:
    """Yield what is wrong with a setting, in words, the most basic first."""
    declared = traits(field)
    if problem := _problem_of_name(cls, field.name):
        yield problem
    if not is_supported(hint):
        yield f"no setting can have the type {_type_name(hint)}; use {SUPPORTED}"
    yield from _problems_of_traits(declared, hint, is_source=cls.kind == "source")  # type: ignore[attr-defined]
    if (default := default_of(field)) is not dataclasses.MISSING:
        yield from _problems_of_default(default, hint, declared.limits)


def _problem_of_name(cls: type, name: str) -> str | None:
    if not name.isascii() or name in _NO_FIELDS:
        return "the command line cannot set this name; choose another"
    # A default hides an inherited property, as if it were overridden.
    is_taken = isinstance(inspect.getattr_static(cls, name, None), property)
    inherited = [vars(base).get(name) for base in cls.__mro__[1:]]
    if (
        is_taken
        or name in inspect.get_annotations(Stage)
        or any(map(inspect.isfunction, inherited))
    ):
        return "its base class uses this name itself; choose another"
    return None


def _problems_of_traits(declared: Traits, hint: Any, *, is_source: bool) -> Iterator[str]:
    if declared.limits and not has(hint, int, float, Any):
        yield f"{declared.limits} limits numbers, and the setting is {words(hint)}"
    if declared.limits.is_empty():
        yield f"no number is {declared.limits}"
    if declared.by_content and hint not in (Path, Path | None, *([str] if is_source else [])):
        yield "by_content is for a Path, or Path | None, and for a source's str of a folder or URL"
    if declared.by_content and not declared.decides_bytes:
        yield "a content that counts decides bytes; declare by_content or decides_bytes=False"


def _problems_of_default(default: Any, hint: Any, limits: Limits) -> Iterator[str]:
    if not _is_of_type(default, hint):
        yield f"the default {default!r} must be {words(hint)}"
    if broken := limits.violated_by(default):
        yield f"the default {default!r} {broken}"
    if isinstance(default, str) and ("${" in default or default == "???"):
        yield f"the default {default!r} has a meaning for OmegaConf; choose another"


def _is_of_type(default: Any, hint: Any) -> bool:
    # Authors write a tuple for a list, since a list is mutable.
    value = list(default) if isinstance(default, tuple) and has(hint, list) else default
    try:
        converted = convert(value, hint)
    except WrongTypeError:
        return False
    return bool(converted == value) and type(converted) in (type(value), float)


def _type_name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
