"""Splits a command line into overrides, options of Hydra, and the configs that it starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from depthmask.config.options import FOLDER, NAME, check_options, takes_value
from depthmask.config.texts import keep_texts
from depthmask.errors import UsageError
from depthmask.storage.location import with_home

CONFIG = "config"
"""The name of the config with the defaults of a run."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The words of a command line, by what they do.

    overrides: words like NAME=VALUE, with texts as they were typed (see `keep_texts`). options:
    Hydra's other options, each followed by its value. folder: that of `--config-dir`, with YAML
    configs of the user. config_name: the config to start from.
    """

    overrides: tuple[str, ...]
    options: tuple[str, ...] = ()
    folder: Path | None = None
    config_name: str = CONFIG

    @classmethod
    def parse(cls, words: Sequence[str]) -> CommandLine:
        """Split the words; raises `UsageError` for an option that does not exist, or lacks a value.

        So it does if the folder of `--config-dir` cannot be used.
        """
        check_options(words)
        options, overrides = options_and_overrides(words)
        folder, options = taken_out(options, FOLDER)
        name, options = taken_out(options, NAME)
        return cls(
            overrides=tuple(keep_texts(overrides)),
            options=tuple(options),
            folder=None if folder is None else existing_folder(folder),
            config_name=name or CONFIG,
        )

    def hydra_words(self) -> list[str]:
        """The words for Hydra's parser, which takes options before overrides.

        Folder and config are not among them: Hydra gets both in other ways.
        """
        return [*self.options, *self.overrides]


def options_and_overrides(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into Hydra's options, each followed by its value, and overrides."""
    options, overrides = [], []
    is_value = False
    for word in words:
        if is_value or word.startswith("-"):
            is_value = not is_value and takes_value(word)
            options.append(word)
        else:
            overrides.append(word)
    return options, overrides


def taken_out(options: Sequence[str], names: Sequence[str]) -> tuple[str | None, list[str]]:
    """The value of an option, the last if it is repeated, and the other options."""
    value, others = None, []
    words = iter(options)
    for word in words:
        name, equals, text = word.partition("=")
        if name not in names:
            others.append(word)
            continue
        value = text if equals else next(words, "")
        if not value:
            raise UsageError(f"{name}: give a value, as in {name} NAME")
    return value, others


def existing_folder(text: str) -> Path:
    """The folder that `--config-dir` names; `UsageError` if there is none."""
    folder = Path(with_home(text)).absolute()
    if folder.is_file():
        raise UsageError(
            f"--config-dir {text}: this is a file; give the folder that holds preset/NAME.yaml"
        )
    if not folder.is_dir():
        raise UsageError(f"--config-dir {text}: no such folder")
    return folder
