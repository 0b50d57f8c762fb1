"""The decorators `stage` and `settings`, which make dataclasses that check their settings."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform, get_type_hints

from depthmask.errors import SettingError, UsageError
from depthmask.stage.declaration import check_class, check_settings, refusal
from depthmask.stage.setting import traits
from depthmask.stage.types import WrongTypeError, config_type, convert, words

S = TypeVar("S")
_TYPES = "_setting_types"
"""The attribute of a class with the types of its own settings, as they are written."""


@dataclass_transform(kw_only_default=True)
def stage(name: str) -> Callable[[type[S]], type[S]]:
    """Make a class the stage `name`: a dataclass that checks its settings when it is created.

    Raises `UsageError` for a name or a setting that a run could not carry.
    """
    if not isinstance(name, str):
        raise UsageError(f'{name!r} has no name for its stage: write @stage("NAME")')

    def decorate(cls: type[S]) -> type[S]:
        check_class(cls, name)
        cls = settings(cls)
        check_settings(cls, setting_types(cls))
        cls.name = name  # type: ignore[attr-defined]
        return cls

    return decorate


@dataclass_transform(kw_only_default=True)
def settings(cls: type[S]) -> type[S]:
    """Make a class a keyword-only dataclass that checks its settings when it is created."""
    # The check of this class or an inherited one, so that a derived stage keeps the checks.
    check_of_class = getattr(cls, "__post_init__", None)

    def check(self: S) -> None:
        _convert_settings(self)
        _expand_home(self)
        _check_ranges(self)
        if check_of_class is not None:
            check_of_class(self)

    cls.__post_init__ = check  # type: ignore[attr-defined]
    doc = cls.__doc__
    try:
        cls = dataclasses.dataclass(kw_only=True)(cls)
    except (TypeError, ValueError) as error:
        reason = str(error).replace("use default_factory", "give it to setting()")
        raise refusal(cls, reason) from None
    # Without a docstring, dataclass writes its signature there, which `--help` would show.
    cls.__doc__ = doc or ""
    _widen_annotations(cls)
    return cls


def setting_types(cls: type) -> dict[str, Any]:
    """Name -> type of each setting of a class, as its author wrote it."""
    types: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        types.update(vars(base).get(_TYPES, {}))
    return types


def _widen_annotations(cls: type) -> None:
    """Show OmegaConf, which reads the annotations of a class, types that it knows."""
    hints, own = _hints(cls), inspect.get_annotations(cls)
    fields = [field.name for field in dataclasses.fields(cls) if field.name in own]
    setattr(cls, _TYPES, {name: hints[name] for name in fields})
    cls.__annotations__ = {**own, **{name: config_type(hints[name]) for name in fields}}


def _hints(cls: type) -> dict[str, Any]:
    """The annotations of a class as types; `UsageError` for a name that is not defined."""
    try:
        return get_type_hints(cls)
    except NameError as error:
        users = (name for name, text in cls.__annotations__.items() if str(error.name) in str(text))
        reason = f"its type needs {error.name}; define or import it above the class"
        raise refusal(cls, reason, next(users, None)) from None


def _convert_settings(instance: Any) -> None:
    """Make settings that OmegaConf cannot check what their types say; raises `SettingError`."""
    for name, hint in setting_types(type(instance)).items():
        if config_type(hint) is not hint:
            value = getattr(instance, name)
            try:
                setattr(instance, name, convert(value, hint))
            except WrongTypeError:
                raise SettingError(name, value, f"must be {words(hint)}") from None


def _expand_home(instance: Any) -> None:
    """Put the home folder for a leading `~` of files whose content counts, not their path."""
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        if traits(field).by_content and isinstance(value, Path):
            with suppress(RuntimeError):  # Nothing tells the home folder: no such file, then.
                setattr(instance, field.name, value.expanduser())


def _check_ranges(instance: Any) -> None:
    """Raise `SettingError` for the first field that lies outside its limits."""
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        expected = traits(field).limits.violated_by(value)
        if expected:
            raise SettingError(field.name, value, expected)
