"""What the data objects have in common: a short `repr`, and an `__init__` that is quick."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

C = TypeVar("C", bound=type)
MOST_SHOWN, _MOST_LETTERS = 6, 100
"""The most items of a collection, and letters of another value, in the `repr` of an object."""


def brief(instance: Any) -> str:
    """The `repr` of a data object: short, without pixels, bytes and fields that are empty."""
    values = {item.name: getattr(instance, item.name) for item in fields(instance)}
    shown = [f"{name}={_in_brief(value)}" for name, value in values.items() if not _is_empty(value)]
    return f"{type(instance).__name__}({', '.join(shown)})"


def _in_brief(value: Any) -> str:
    """A value in a few words; of an array its dtype and shape, as in `uint8 [160, 160, 3]`."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, (list, tuple, Mapping)) and len(value) > MOST_SHOWN:
        return f"{len(value):,} items"
    if isinstance(value, (list, tuple)):
        items = ", ".join(map(_in_brief, value))
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_in_brief(one)}' for key, one in value.items())}}}"
    text = repr(value)
    return text if len(text) <= _MOST_LETTERS or is_dataclass(value) else f"{text[:97]}..."


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (list, tuple, Mapping)) and not value)


def made_often(cls: C) -> C:
    """Give a frozen dataclass with slots an `__init__` that takes a fifth of the time.

    That of `dataclass` calls `object.__setattr__` for each field, as the class refuses to set one.
    Here an object gets its fields as one of a class with the same slots that does not refuse.
    Subclasses keep the `__init__` of `dataclass`. The text of the function has names of fields
    alone; `dataclass` makes its own in the same way.
    """
    values: dict[str, Any] = {
        "frozen": cls,
        "open": type(cls.__name__, (), {"__slots__": cls.__slots__}),  # type: ignore[attr-defined]
        "become": object.__dict__["__class__"].__set__,
        "inherited": cls.__init__,  # type: ignore[misc]
        "missing": MISSING,
    }
    items = fields(cls)
    names = [item.name for item in items]
    assert not hasattr(cls, "__post_init__")
    assert not values.keys() & names
    assert all(item.init and not item.kw_only for item in items)
    parameters = ", ".join([_parameter(item, values) for item in items])
    lines = [
        f"def make({', '.join(values)}):",
        f" def __init__(self, {parameters}):",
        *(f"  if {name} is missing: {name} = make_{name}()" for name in names
          if f"make_{name}" in values),
        f"  if self.__class__ is not frozen: return inherited(self, {', '.join(names)})",
        "  become(self, open)",
        *(f"  self.{name} = {name}" for name in names),
        "  self.__class__ = frozen",
        " return __init__",
    ]  # fmt: skip
    # With the names of the module, by which type hints are looked up.
    makers: dict[str, Any] = {}
    exec("\n".join(lines), vars(sys.modules[cls.__module__]), makers)  # noqa: S102
    made = makers["make"](**values)
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = cls.__init__.__annotations__  # type: ignore[misc]
    cls.__init__ = made  # type: ignore[misc]
    return cls


def _parameter(item: Field[Any], values: dict[str, Any]) -> str:
    """The parameter of a field as code; adds its default, or what makes that, to the values."""
    if item.default_factory is not MISSING:
        values[f"make_{item.name}"] = item.default_factory
        return f"{item.name}=missing"
    if item.default is not MISSING:
        values[f"default_{item.name}"] = item.default
        return f"{item.name}=default_{item.name}"
    return item.name
