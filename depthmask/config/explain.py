"""Turns errors of Hydra and OmegaConf into one line: what is wrong, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass
from typing import TypeVar

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import ValidationError

from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, LISTS, suggestion
from depthmask.config.root import Root
from depthmask.errors import UsageError
from depthmask.stage import describe_settings

E = TypeVar("E", bound=BaseException)


def explain(error: Exception, overrides: Sequence[str]) -> UsageError:
    """Return an error that tells the user why the config could not be composed.

    overrides: the words of the command line.
    """
    causes = list(_with_causes(error))
    if own := _first(UsageError, causes):
        text = str(own)
    elif missing := _first(MissingConfigException, causes):
        text = _no_such_stage(missing)
    elif unreadable := _first(OverrideParseException, causes):
        text = f"{unreadable.override}: not valid; write NAME=VALUE, and quote special characters"
    elif invalid := _first(ValidationError, causes):
        text = _bad_value(invalid, overrides)
    elif several := re.search(r"Ambiguous value for argument '([^']+)'", str(error)):
        text = _several_values(several[1])
    elif refused := re.search(r"Could not (?:override|append to) '?([\w./@]+)", str(error)):
        schemas = [getattr(cause, "object_type", None) for cause in causes]
        schema = next((cls for cls in schemas if isinstance(cls, type) and is_dataclass(cls)), Root)
        text = _no_such_setting(refused[1], schema, overrides)
    else:
        text = next(_choices_of_no_stage(overrides), _first_line(error))
    return UsageError(text)


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__


def _first(kind: type[E], chain: Sequence[BaseException]) -> E | None:
    """The outermost error of a type; under a debugger OmegaConf adds inner errors without a key."""
    return next((error for error in chain if isinstance(error, kind)), None)


def _no_such_stage(error: MissingConfigException) -> str:
    path = error.missing_cfg_file or ""
    group, _, name = str(path).rpartition("/")
    if not group:
        return _first_line(error)
    # Hydra knows no options of a group whose stages are chosen by a list.
    known = list(error.options or ()) or list(registry().stages.get(group, ()))
    return registry().no_such_stage(group, name, known)


def _bad_value(error: ValidationError, overrides: Sequence[str]) -> str:
    key = error.full_key or ""
    override = next((word for word in overrides if word.lstrip("+").split("=")[0] == key), key)
    text = _first_line(error)
    kind = re.search(r"could not be converted to (\w+)", text)
    if kind:
        words = {"Integer": "a whole number", "Float": "a number", "Path": "a path"}
        return f"{override}: must be {words.get(kind[1], kind[1])}"
    if "not a valid bool" in text:
        return f"{override}: must be true or false"
    choices = re.search(r"expected one of \[(.*)\]", text)
    if choices:
        return f"{override}: must be one of {choices[1]}"
    return f"{override}: {text}"


def _choices_of_no_stage(overrides: Sequence[str]) -> Iterator[str]:
    """Yield a message for each word that chooses by something else than a name, as `depth=null`."""
    for word in overrides:
        group, _, value = word.partition("=")
        listed = re.fullmatch(r"\[(.*)\]", value)
        names = listed[1].split(",") if listed and group in LISTS else [value]
        if group in KINDS and any(name in ("null", "") or name.isdigit() for name in names):
            example = "[NAME,NAME] or []" if group in LISTS else "NAME"
            yield f"{word}: choose by name, as in {group}={example}"
        elif group in LISTS and "[" in value[1:]:
            yield f"{word}: choose by a list of names, as in {group}=[NAME,NAME]"


def _several_values(word: str) -> str:
    """The message for `placement=random,grid` without `-m`."""
    name, _, values = word.partition("=")
    alone = f"{name}=[{values}] chooses all of them; " if name in LISTS else ""
    return f"{word}: several values; {alone}add -m to make a dataset with each"


def _no_such_setting(name: str, schema: type, overrides: Sequence[str]) -> str:
    """The message for `placement.nosuch`, where the schema of `placement` has no such field."""
    group, dot, _ = name.rpartition(".")
    known = [f"{group}{dot}{setting.name}" for setting in describe_settings(schema)]
    override = next((word for word in overrides if word.split("=")[0].lstrip("+~") == name), name)
    kind, _, stage = group.partition(".")
    if kind in LISTS and schema is Root:
        names = registry().stages[kind]
        if stage not in names:
            return registry().no_such_stage(kind, stage, list(names))
        return f"{override}: {stage} is not chosen; add it by {kind}=[{stage}]"
    return f"{override}: no such setting{suggestion(name, known)}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]
