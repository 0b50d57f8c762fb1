"""The options of a command line with settings, which Hydra reads, and what is wrong with others."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from depthmask.errors import UsageError
from depthmask.storage import shell

FOLDER = ("--config-dir", "-cd")
NAME = ("--config-name", "-cn")
_CHOICES = {
    "--cfg": ("job", "hydra", "all"),
    "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
}
"""Option -> its values, where it has few."""
_LONG = {
    "-cd": "--config-dir",
    "-cn": "--config-name",
    "-c": "--cfg",
    "-p": "--package",
    "-i": "--info",
    "-m": "--multirun",
    "-r": "--run",
    "-sc": "--shell-completion",
}
"""Short option -> long option."""
_WITH_VALUE = ("--config-dir", "--config-name", "--cfg", "--package", "--info",
               "--experimental-rerun")  # fmt: skip
_WITHOUT_VALUE = ("--multirun", "--run", "--resolve", "--hydra-help", "--shell-completion",
                  "--help", "--version")  # fmt: skip
_SHOWN = "-m, --config-dir FOLDER, --config-name NAME, --cfg job, --help"
"""The options that users need."""


def takes_value(word: str) -> bool:
    """Whether the next word of the command line is the value of this one."""
    return _LONG.get(word, word) in _WITH_VALUE


def check_options(words: Sequence[str], own: Sequence[str] = ()) -> None:
    """Raise `UsageError` for the first word that looks like an option and is none.

    Hydra's own message would show its usage, in which settings do not stand. own: the options
    without a value that a command has beside Hydra's.
    """
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            option, equals, value = word.partition("=")
            _check_name(word, option, next_word(words, word), own)
            if takes_value(option):
                _check_value(option, value if equals else next(rest, ""))
            elif equals:
                raise UsageError(f"{word}: {option} takes no value; write {option} alone")


def refuse_folders_of_hydra(words: Sequence[str]) -> None:
    """Raise `UsageError` for the folders that programs with Hydra write, and depthmask does not."""
    for word in words:
        if re.match(r"\+*hydra\.(run\.dir|sweep\.(dir|subdir))=", word):
            raise UsageError(f"{word}: depthmask does not use this folder; write output=FOLDER")


def refuse_accidents(word: str) -> None:
    """Raise `UsageError` for a word that only an accident in a shell script makes."""
    if word.endswith("\r"):
        raise UsageError(
            f"{word}: ends with a carriage return, since the script has the line ends of Windows; "
            "remove them with sed -i 's/\\r$//' SCRIPT"
        )
    if word in ("output=", "source.root="):
        raise UsageError(f"{word}: the value is empty, as with a variable that is not set")
    if not word.strip(" \t\n"):
        raise UsageError(
            "a word of the command line is empty: a variable in quotes is not set, or a space "
            "follows the backslash at the end of a line"
        )


def next_word(words: Sequence[str], word: str) -> str:
    """The word that follows the first of this kind; "" at the end."""
    return next(iter(words[list(words).index(word) + 1 :]), "")


def _check_name(word: str, option: str, following: str, own: Sequence[str]) -> None:
    """Raise `UsageError` unless the option exists. following: the next word. own: see above."""
    known = (*own, *_WITH_VALUE, *_WITHOUT_VALUE)
    if option == "--config-path" or option == "-cp":
        raise UsageError(f"{word}: no such option; --config-dir FOLDER adds a folder of your own")
    if _LONG.get(option, option) in known:
        return
    if near := difflib.get_close_matches(option, known, n=1, cutoff=0.75):
        raise UsageError(f"{word}: no such option; did you mean {near[0]}?")
    name = option.lstrip("-").replace("-", "_")
    value = word.partition("=")[2] or (following if "=" not in following else "") or "VALUE"
    setting = f"{name}={value}" if re.fullmatch(r"[a-z_][\w.]*", name) else "NAME=VALUE"
    raise UsageError(
        f"{word}: no such option; settings have no hyphens: write {shell.word(setting)}; "
        f"options: {_SHOWN}"
    )


def _check_value(option: str, value: str) -> None:
    choices = _CHOICES.get(_LONG.get(option, option))
    if not value or value.startswith("-"):
        example = choices[0] if choices else "NAME"
        instead = f", not {value}" if value else ""
        raise UsageError(f"{option}: give a value{instead}, as in {option} {example}")
    if choices and value not in choices:
        raise UsageError(f"{option} {value}: must be one of {', '.join(choices)}")


def refuse_misspelt(words: Sequence[str], names: Sequence[str]) -> None:
    """Raise `UsageError` for a word like `batchs=1,2` where a command has a `batches=` of its own.

    names: those that only this command has.
    """
    for word in words:
        name = word.partition("=")[0]
        if name not in names and (near := difflib.get_close_matches(name, names, cutoff=0.75)):
            raise UsageError(f"{word}: no such setting; did you mean {near[0]}=?")
