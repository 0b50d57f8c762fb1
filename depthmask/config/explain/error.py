"""Turns errors of Hydra and OmegaConf into one line: what is wrong, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import TypeVar

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from depthmask.config.command_line import CommandLine
from depthmask.config.explain import files
from depthmask.config.explain.setting import no_such_setting
from depthmask.config.explain.value import explain_value
from depthmask.config.explain.words import (
    added_twice,
    choices_of_no_name,
    choices_of_no_stage,
    group_without_setting,
    has_no_name,
    in_other_place,
    interval_without_optuna,
    not_removed,
    several_values,
    sweep_meant,
    sweep_of_one,
    unreadable,
    unresolved_value,
)
from depthmask.config.presets.code import CodeError
from depthmask.config.presets.tree import YamlTree, add_position
from depthmask.config.root import BLOCKS, Root
from depthmask.errors import UsageError, causes_of

E = TypeVar("E", bound=BaseException)


def explain(error: Exception, words: Sequence[str]) -> UsageError:
    """Return an error that tells the user why the config could not be composed.

    words: those of the command line. The files that they choose are read once more, which finds
    the line of a mistake in them.
    """
    if isinstance(error, CodeError):
        add_position(error, CommandLine.parse(words))
    if isinstance(error, UsageError):
        return error
    # Only the working folder has no name.
    if isinstance(error, FileNotFoundError) and error.filename is None:
        return UsageError("the current folder was deleted; change to another folder")
    try:
        tree = YamlTree(CommandLine.parse(words))
        return _in_files(error, tree) or UsageError(_in_words(error, tree))
    except UsageError as problem:
        return problem


def _in_files(error: Exception, tree: YamlTree) -> UsageError | None:
    """The error for a mistake in a YAML config; None if there is none."""
    text = str(error)
    if isinstance(error, MissingConfigException):
        return files.missing_config(error, tree)
    if base := tree.without_base():
        return base
    if merged := re.match(r"In '([^']+)': \w+ raised while\s+composing config", text):
        if several := next(choices_of_no_stage(tree.line.overrides), None):
            return UsageError(several)
        return files.bad_merge(merged[1], error.__context__, tree) or files.swept_list(tree)
    if unused := re.match(r"In '[^']+': Could not override '(.+?)'\.\s", f"{text} "):
        return files.unused_override(unused[1], tree)
    if second := re.match(r"Multiple values for ([^\s]+)\.\s|(\S+) appears more than once", text):
        return files.second_choice(second[1] or second[2], tree)
    if "interpolation" in text or text.startswith("You must specify"):
        return files.unresolved_choice(tree)
    if isinstance(error, RecursionError):
        files.refuse_circle(tree)
    return files.other_mistake(text, tree)


def _in_words(error: Exception, tree: YamlTree) -> str:
    """The message for a mistake on the command line."""
    overrides = tree.line.overrides
    causes = list(causes_of(error))
    if own := _first(UsageError, causes):
        return str(own)
    if missing := _first(MissingConfigException, causes):
        return files.no_such_choice(missing, tree)
    if nameless := next(filter(has_no_name, overrides), None):
        return unreadable(nameless, overrides)
    if no_override := _first(OverrideParseException, causes):
        return unreadable(no_override.override, overrides)
    if by_text := _by_text(str(error), overrides):
        return by_text
    if refused := re.search(r"Could not override '([^']+)'", str(error)):
        return _refused(refused[1], causes, tree)
    if invalid := _first(OmegaConfBaseException, causes):
        return tree.swept(str(invalid.full_key)) + _bad_value(invalid, overrides)
    rest = (*choices_of_no_stage(overrides), *in_other_place(overrides))
    return next(iter(rest), _unknown(overrides, error))


def _by_text(text: str, overrides: Sequence[str]) -> str | None:
    """The message for an error of Hydra that only its text tells from others; None for any other.

    text: that of the error.
    """
    if several := re.search(r"Ambiguous value for argument '(.+)'", text):
        return several_values(several[1])
    if sweep := re.search(r"Sweep parameters '(.+)' requires --multirun", text):
        return sweep_of_one(sweep[1], overrides)
    if "does not support sweep type" in text:
        return interval_without_optuna(overrides)
    if swept := re.search(r"Sweeping over Hydra's configuration is not supported : '(.+)'", text):
        return f"{swept[1]}: settings of Hydra cannot be swept; give one value"
    if removed := re.search(r"Could not delete (?:from config.*?)?'([^']+)'", text):
        return not_removed(removed[1], overrides)
    if added := re.search(
        r"An item is already at '([^']+)'|Multiple values for ([^\s]+)\.\s", text
    ):
        return added_twice(added[1] or added[2], overrides)
    if "Config group override must be a string" in text:
        return next(choices_of_no_name(overrides), None)
    if unresolved := re.search(r"Error resolving interpolation '(.+?)'", text):
        return unresolved_value(unresolved[1], overrides)
    if forced := re.search(r"force-add of config groups is not supported: '(\+*)(.+)'", text):
        return f"{forced[1]}{forced[2]}: a group has a choice without ++; write {forced[2]}"
    return None


def _refused(name: str, causes: Sequence[BaseException], tree: YamlTree) -> str:
    """The message for a name that is no setting, or a group from which nothing is chosen yet."""
    overrides = tree.line.overrides
    word = next((word for word in reversed(overrides) if word.startswith(f"{name}=")), None)
    schemas = [getattr(cause, "object_type", None) for cause in causes]
    schema = next((cls for cls in schemas if isinstance(cls, type) and is_dataclass(cls)), None)
    if word is not None and schema is None and tree.names(name):
        return f"{word}: nothing is chosen from {name} yet; write +{word}"
    return tree.swept(name) + no_such_setting(name, schema or Root, overrides)


def _bad_value(error: OmegaConfBaseException, overrides: Sequence[str]) -> str:
    key = str(error.full_key or "")
    # Of a setting that is given twice, the last counts.
    words = [word for word in overrides if _sets(word, key)]
    if key in BLOCKS:
        return f"{words[-1] if words else key}: {group_without_setting(key)}"
    if not words:
        return f"{key}: {explain_value(error)}"
    name, _, value = words[-1].lstrip("+").partition("=")
    item = "" if name == key else f"{key} "
    return f"{words[-1]}: {item}{explain_value(error, value)}{sweep_meant(name, value)}"


def _sets(word: str, key: str) -> bool:
    """Whether a word sets a key such as `size[0]`, alone or as a part of its value."""
    name = word.lstrip("+").partition("=")[0]
    return key == name or key.startswith((f"{name}.", f"{name}["))


def _first(kind: type[E], chain: Sequence[BaseException]) -> E | None:
    """The outermost error of a type; under a debugger OmegaConf adds inner errors without a key."""
    return next((error for error in chain if isinstance(error, kind)), None)


def _unknown(overrides: Sequence[str], error: BaseException) -> str:
    """The message for an error without words of ours: the words, one of which is the cause."""
    lines = [*str(error).strip().splitlines(), type(error).__name__]
    return (
        f"{' '.join(overrides) or 'the config'}: these do not fit together; leave words out until "
        f"it is clear which one is wrong (Hydra: {lines[0]})"
    )
