"""What a command takes: folders and names, options, settings, and two examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ANY = "*"
"""Stands in `Page.settings` for every setting and config group."""


@dataclass(frozen=True, slots=True)
class Word:
    """An argument without a name of its own, such as `OUT`.

    choices: the words that are possible; empty for any. is_path: whether it is a dataset's folder;
    takes_files: or a file.
    """

    name: str
    help: str
    choices: tuple[str, ...] = ()
    is_path: bool = True
    takes_files: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """An option such as `--into FOLDER`, or a setting that only one command has, such as `on=`.

    name: with its dashes, or with `=` at the end. value: what stands for the value in the help;
    empty for a flag. kind: the type of the value.
    """

    name: str
    help: str
    value: str = ""
    kind: type = str
    is_required: bool = False
    short: str = ""
    choices: tuple[str, ...] = ()
    is_path: bool = False

    @property
    def shown(self) -> str:
        """As it is written, with a word for its value: `--into FOLDER`, `on=FOLDER`."""
        names = f"{self.short}, {self.name}" if self.short else self.name
        return names if not self.value else f"{names}{self._gap}{self.value}"

    @property
    def in_usage(self) -> str:
        """As it stands in the line of usage: in brackets unless it is required."""
        text = f"{self.name}{self._gap}{self.value}" if self.value else self.name
        return text if self.is_required else f"[{text}]"

    @property
    def _gap(self) -> str:
        return "" if self.name.endswith("=") else " "


@dataclass(frozen=True, slots=True)
class Page:
    """How a command is used.

    settings: the names of the root settings and config groups that it accepts; `ANY` for all.
    required: words of settings that the usage has, such as `output=OUT2`. examples: the words after
    `python -m depthmask`.
    """

    words: tuple[Word, ...] = ()
    options: tuple[Option, ...] = ()
    settings: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    about: str = ""
    examples: tuple[str, ...] = ()

    def usage(self, command: str) -> str:
        """The words after `python -m depthmask` in one line."""
        return " ".join([command, *self._parts()])

    def _parts(self) -> Iterator[str]:
        yield from (word.name for word in self.words)
        yield from self.required
        yield from (option.in_usage for option in self.options)
        if self.settings:
            yield "[NAME=VALUE ...]"
