"""Hydra's and OmegaConf's errors in one line: what, where, what to do."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import MissingMandatoryValue, ValidationError

from depthmask.config.registry import suggestion, unknown
from depthmask.config.root import Root
from depthmask.errors import UsageError
from depthmask.stage import describe_settings


def explain(error: Exception, overrides: Sequence[str]) -> UsageError:
    """What composing a config failed at, for the user to mend.

    overrides: the words of the command line.
    """
    for cause in _chain(error):
        text = _explained(cause, str(error), overrides)
        if text:
            return UsageError(text)
    return UsageError(_first_line(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from, innermost first: that one knows best."""
    if error is not None:
        yield from _chain(error.__cause__)
        yield error


def _explained(error: BaseException, outer: str, overrides: Sequence[str]) -> str | None:
    if isinstance(error, MissingConfigException):
        return _no_such_stage(error)
    if isinstance(error, OverrideParseException):
        return (
            f"{error.override}: cannot be read; a setting is NAME=VALUE, quote special characters"
        )
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} is required; give {error.full_key}=VALUE"
    if isinstance(error, ValidationError):
        return _bad_value(error, outer, overrides)
    refused = re.search(r"Could not (?:override|append to|delete from) '?([\w./@]+)", outer)
    if refused:
        return _no_such_setting(refused[1], getattr(error, "object_type", None), overrides)
    return None


def _no_such_stage(error: MissingConfigException) -> str:
    path = error.missing_cfg_file or ""
    group, _, name = str(path).rpartition("/")
    return unknown(group, name, list(error.options or ())) if group else _first_line(error)


def _bad_value(error: ValidationError, outer: str, overrides: Sequence[str]) -> str:
    key = error.full_key or ""
    given = next((word for word in overrides if word.lstrip("+").split("=")[0] == key), key)
    text = _first_line(error)
    kind = re.search(r"could not be converted to (\w+)", text)
    if kind:
        words = {"Integer": "a whole number", "Float": "a number"}
        return f"{given}: must be {words.get(kind[1], kind[1])}"
    if "not a valid bool" in text:
        return f"{given}: must be true or false"
    choices = re.search(r"expected one of \[(.*)\]", text)
    if choices:
        return f"{given}: must be one of {choices[1]}"
    return f"{given}: {text}"


def _no_such_setting(name: str, schema: type | None, overrides: Sequence[str]) -> str:
    """`placement.nosuch`: no field of the schema behind `placement`."""
    group, dot, _ = name.rpartition(".")
    schema = schema if dataclasses.is_dataclass(schema) else Root
    known = [f"{group}{dot}{one.name}" for one in describe_settings(schema)]
    given = next((word for word in overrides if word.split("=")[0].lstrip("+~") == name), name)
    return f"{given}: no such setting{suggestion(name, known)}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]
