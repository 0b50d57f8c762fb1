"""Says what is wrong with a value, where OmegaConf refuses it, in words for users."""

from __future__ import annotations

import dataclasses
import re

from omegaconf.errors import (
    InterpolationKeyError,
    InterpolationResolutionError,
    OmegaConfBaseException,
    UnsupportedInterpolationType,
)

from depthmask.config.registry import suggestion
from depthmask.config.root import Root
from depthmask.stage.decorators import setting_types
from depthmask.stage.types import words

_CONVERSIONS = {
    "Integer": "a whole number",
    "Float": "a number",
    "Path": "a path",
    "String": "a text",
}


def explain_value(error: OmegaConfBaseException) -> str:
    """What is wrong with a value, to be written after `NAME=VALUE: `."""
    text = str(error.msg or error).strip().partition("\n")[0]
    if isinstance(error, InterpolationResolutionError) and "dereferencing" not in text:
        return _explain_interpolation(error, text)
    if conversion := re.search(r"could not be converted to (\w+)", text):
        return f"must be {_CONVERSIONS.get(conversion[1], conversion[1])}"
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


def _by_type(error: OmegaConfBaseException) -> str:
    """What a setting must be by its type; a group of settings and a mapping have no such type."""
    key = str(error.full_key or "").rpartition(".")[2]
    schema = error.object_type
    hints = setting_types(schema) if isinstance(schema, type) else {}
    return words(hints[key]) if key in hints else "a value of the kind that the setting has"
