"""The types that a setting can have: what a config and `plan.json` can carry.

Those are int, float, bool, str, enums, `Path` and `Literal`; None; lists, tuples and mappings of
them; unions; and Any, for plain data that the stage checks itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

SUPPORTED = (
    "int, float, bool, str, Path, an enum, Literal, list[...], tuple[...], dict[str, ...], "
    "X | None, or Any for plain data"
)
_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    Path: "a path",
    NoneType: "null",
}
"""Type -> what its values are called; also the list of scalar types, without enums."""


_VALUE = re.compile(r"true|false|null|[+-]?(inf|nan|[\d_.]+(e[+-]?\d+)?)", re.IGNORECASE)
"""Words that the command line reads as other values than texts."""


class WrongTypeError(Exception):
    """A value does not have the type of its setting."""


def is_supported(hint: Any) -> bool:
    """Whether a setting can have this type."""
    kind, items = _kind(hint)
    if kind is Literal:
        return all(type(item) in (str, int, bool, NoneType) for item in items)
    if kind is dict and items[0] is not str:
        return False
    if kind is Union and sum(map(_is_written_as_text, items)) > 1:
        return False
    if kind in (list, dict, tuple, Union):
        return bool(items) and all(map(is_supported, _without_ellipsis(kind, items)))
    return _is_scalar(hint)


def has(hint: Any, *kinds: Any) -> bool:
    """Whether values of this type are or contain values of one of these types."""
    kind, items = _kind(hint)
    inner = items if kind in (list, dict, tuple, Union) else ()
    return kind in kinds or any(has(item, *kinds) for item in inner)


def config_type(hint: Any) -> Any:
    """The type that OmegaConf gets for a setting: the same if OmegaConf can check it, else Any.

    OmegaConf 2.3 knows neither `Literal` nor tuples, refuses whole numbers in lists of lists of
    floats, a mapping of a fixed type cannot be replaced as a whole, and an enum with a name such as
    `nan` gets a number from Hydra.
    """
    kind, items = _kind(hint)
    options = [item for item in items if item is not NoneType] if kind is Union else [hint]
    if all(map(_is_checked, options)):
        return hint
    kind, items = _kind(options[0])
    return hint if len(options) == 1 and kind is list and _is_checked(items[0]) else Any


def convert(value: Any, hint: Any) -> Any:
    """A value, which may come from plain data, as its type says; raises `WrongTypeError`."""
    kind, items = _kind(hint)
    if kind is Any:
        return value
    convert_kind = _CONVERSIONS.get(kind, _scalar)
    return convert_kind(value, items or (hint,))


def plain(value: Any) -> Any:
    """A value of a setting as JSON has it; `convert` is the way back."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {_key(key): plain(item) for key, item in value.items()}
    return value


def words(hint: Any) -> str:
    """What a value of this type is, for `must be ...`."""
    kind, items = _kind(hint)
    if hint not in (bool, NoneType) and (chosen := choices(hint)):
        return f"one of {', '.join(chosen)}"
    if kind is Union:
        return " or ".join(map(words, items))
    if kind is list:
        return f"a list, each item {words(items[0])}"
    if kind is tuple:
        return f"a list, [{', '.join('...' if item is ... else words(item) for item in items)}]"
    if kind is dict:
        return f"a mapping {{NAME: VALUE}}, each value {words(items[1])}"
    return _WORDS.get(kind, "plain data")


def choices(hint: Any) -> tuple[str, ...]:
    """The values of a type that has few: of an enum, a `Literal` or a bool, and null."""
    kind, items = _kind(hint)
    if kind is Union:
        some = [choices(item) for item in items]
        return tuple(text for texts in some for text in texts) if all(some) else ()
    if kind is Literal:
        return tuple(map(_key, items))
    if _is_enum(hint):
        return tuple(member.name for member in hint)
    return {bool: ("true", "false"), NoneType: ("null",)}.get(hint, ())


def type_text(hint: Any) -> str:
    """The type as `--help` shows it; empty for Any."""
    kind, items = _kind(hint)
    if hint is Any:
        return ""
    if chosen := choices(hint):
        return "|".join(chosen)
    if kind is Union:
        return "|".join(map(type_text, items))
    if kind in (list, dict, tuple):
        inner = ", ".join("..." if item is ... else type_text(item) or "Any" for item in items)
        return f"{kind.__name__}[{inner}]"
    return getattr(hint, "__name__", str(hint))


def _kind(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a type is made of: list, dict, tuple, Union or Literal, or the type, and its items."""
    if hint in (list, dict):
        return hint, (str, Any) if hint is dict else (Any,)
    origin = get_origin(hint)
    if origin is UnionType:
        return Union, get_args(hint)
    return (hint, ()) if origin is None else (origin, get_args(hint))


def _without_ellipsis(kind: Any, items: Sequence[Any]) -> Sequence[Any]:
    return items[:1] if kind is tuple and items[1:] == (...,) else items


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _is_scalar(hint: Any) -> bool:
    return hint is Any or _is_enum(hint) or (isinstance(hint, type) and hint in _WORDS)


def _is_checked(hint: Any) -> bool:
    """Whether OmegaConf checks values of this type."""
    return _is_scalar(hint) and not (_is_enum(hint) and any(map(_VALUE.fullmatch, choices(hint))))


def _is_written_as_text(hint: Any) -> bool:
    """Whether JSON has a text for its values; of two such types in a union, it hides which."""
    return hint in (str, Path) or _is_enum(hint)


def _scalar(value: Any, items: tuple[Any, ...]) -> Any:
    (hint,) = items
    if _is_enum(hint) and not isinstance(value, hint):
        return _member(value, hint)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and type(value) is int:
        return float(value)
    # A bool is an int in Python, and no number in a config.
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise WrongTypeError
    return value


def _member(value: Any, enum: type[Enum]) -> Enum:
    # By its text too: the command line reads `nan` and `true` as a number and a bool.
    if (name := _key(value)) not in enum.__members__:
        raise WrongTypeError
    return enum[name]


def _of_list(value: Any, items: tuple[Any, ...]) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise WrongTypeError
    return [convert(item, items[0]) for item in value]


def _of_tuple(value: Any, items: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise WrongTypeError
    hints = items[:1] * len(value) if items[1:] == (...,) else items
    if len(hints) != len(value):
        raise WrongTypeError
    return tuple(convert(item, hint) for item, hint in zip(value, hints, strict=True))


def _of_mapping(value: Any, items: tuple[Any, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongTypeError
    return {_key(key): convert(item, items[1]) for key, item in value.items()}


def _of_literal(value: Any, items: tuple[Any, ...]) -> Any:
    # By its text too: the command line reads `true` and `1` as a bool and a number.
    for same in (lambda item: type(item) is type(value) and item == value,
                 lambda item: _key(item) == _key(value)):  # fmt: skip
        for item in items:
            if same(item):
                return item
    raise WrongTypeError


def _of_union(value: Any, items: tuple[Any, ...]) -> Any:
    # The very type of the value first, so that `float | int` keeps a whole number.
    for hint in sorted(items, key=lambda item: item is not type(value)):
        try:
            return convert(value, hint)
        except WrongTypeError:
            continue
    raise WrongTypeError


def _key(value: Any) -> str:
    """A key of a mapping, or a choice, as text: the command line reads `1` and `true` as values."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


_CONVERSIONS: dict[Any, Callable[[Any, tuple[Any, ...]], Any]] = {
    list: _of_list,
    tuple: _of_tuple,
    dict: _of_mapping,
    Literal: _of_literal,
    Union: _of_union,
}
