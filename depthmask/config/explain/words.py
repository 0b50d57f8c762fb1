"""Says what is wrong with a word of the command line, where Hydra refuses it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, LISTS, suggestion
from depthmask.config.root import Root


def choices_of_no_stage(overrides: Sequence[str]) -> Iterator[str]:
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


def several_values(word: str) -> str:
    """The message for `placement=random,grid` without `-m`."""
    name, _, values = word.partition("=")
    alone = f"{name}=[{values}] chooses all of them; " if name in LISTS else ""
    return f"{word}: several values; {alone}add -m to make a dataset with each"


def no_such_setting(name: str, schema: type, overrides: Sequence[str]) -> str:
    """The message for `placement.nosuch`, where the schema of `placement` has no such field."""
    group, dot, _ = name.rpartition(".")
    known = [f"{group}{dot}{item.name}" for item in dataclasses.fields(schema)]
    override = next((word for word in overrides if word.split("=")[0].lstrip("+~") == name), name)
    kind, _, stage = group.partition(".")
    if kind in LISTS and schema is Root:
        names = registry().stages[kind]
        if stage not in names:
            return registry().no_such_stage(kind, stage, list(names))
        return f"{override}: {stage} is not chosen; add it by {kind}=[{stage}]"
    return f"{override}: no such setting{suggestion(name, known)}"
