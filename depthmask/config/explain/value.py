"""Says what is wrong with a value, where OmegaConf refuses it, in words for users."""

from __future__ import annotations

import dataclasses
import re
from decimal import Decimal
from typing import Any

from omegaconf.errors import (
    InterpolationKeyError,
    InterpolationResolutionError,
    OmegaConfBaseException,
    UnsupportedInterpolationType,
)

from depthmask.config.registry import suggestion
from depthmask.config.root import SIZE, Root
from depthmask.stage.decorators import setting_types
from depthmask.stage.types import words

_CONVERSIONS = {
    "Integer": "a whole number",
    "Float": "a number",
    "Path": "a path",
    "String": "a text",
}


def explain_value(error: OmegaConfBaseException, value: str = "") -> str:
    """What is wrong with a value, to be written after `NAME=VALUE: `.

    value: as it stands on the command line; "" if it does not.
    """
    text = str(error.msg or error).strip().partition("\n")[0]
    if isinstance(error, InterpolationResolutionError) and "dereferencing" not in text:
        return _explain_interpolation(error, text)
    if conversion := re.search(r"could not be converted to (\w+)", text):
        meant = f"; write {number}" if (number := _number(value, conversion[1])) else ""
        return f"must be {_CONVERSIONS.get(conversion[1], conversion[1])}{meant}"
    if "not a valid bool" in text:
        return "must be true or false"
    if choices := re.search(r"expected one of \[(.*)\]", text):
        return f"must be one of {choices[1]}"
    if "None" in text and error.object_type is list:
        return "must not be null"
    return f"must be {_by_type(error)}"


def _explain_interpolation(error: OmegaConfBaseException, text: str) -> str:
    name = re.search(r"(?:key '|type |variable ')([^\s']+)", text)
    if isinstance(error, InterpolationKeyError) and name:
        known = [item.name for item in dataclasses.fields(Root)]
        return f"${{{name[1]}}}: no such setting{suggestion(name[1], known)}"
    if isinstance(error, UnsupportedInterpolationType) and name:
        return f"${{{name[1]}:...}}: no such resolver; oc.env:NAME gives an environment variable"
    if "Recursive" in text:
        return "refers to itself"
    if "Environment variable" in text and name:
        return f"the environment variable {name[1]} is not set"
    return "the ${...} in it cannot be resolved; give a value"


def _number(value: str, kind: str) -> str:
    """The number that a text means, such as 10000 for `10k` and `1e4`; empty if it is none."""
    number = re.fullmatch(r"(\d+\.?\d*(?:e\d{1,2})?)([km]?)", value.lower().replace("_", ""))
    if number is None or kind != "Integer":
        return ""
    exact = Decimal(number[1]) * {"": 1, "k": 10**3, "m": 10**6}[number[2]]
    return str(int(exact)) if exact == int(exact) else ""


def _by_type(error: OmegaConfBaseException) -> str:
    """What a setting must be by its type; a group of settings and a mapping have no such type."""
    key = str(error.full_key or "").rpartition(".")[2]
    schema = error.object_type
    hints = setting_types(schema) if isinstance(schema, type) else {}
    if error.full_key == "size" or key in hints:
        return words_of(str(error.full_key), hints.get(key))
    return "a value of the kind that the setting has"


def words_of(name: str, hint: Any) -> str:
    """What a setting must be. name: from the top."""
    return SIZE if name == "size" else words(hint)
