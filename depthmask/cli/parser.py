"""Reads the arguments of a command such as `verify OUT --repair`."""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
from collections.abc import Sequence
from typing import Any, NoReturn

from depthmask.errors import UsageError

_SETTING = re.compile(r"[\w.@]+=(?!.*/)")
"""NAME=VALUE; a path with such a name has a slash, as in ./NAME=VALUE."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are `UsageError`, in one line of our own words."""

    _words: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does; raises `UsageError` for a word that is no argument at all.

        argparse would complain about the next word, or about an option that is missing instead.
        """
        self._words = list(args or ())
        options = {name for action in self._actions for name in action.option_strings}
        for word in self._words:
            is_number = word[1:2].isdigit()
            if word.startswith("-") and not is_number and word.partition("=")[0] not in options:
                self.error(f"unrecognized arguments: {word}")
            if word.startswith(("+", "~")) or (word[:1].isalpha() and _SETTING.match(word)):
                self.error(f"{word}: this command takes no settings")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` for an error of argparse. message: its text in English."""
        command = self.prog.partition(" ")[2]
        raise UsageError(f"{command}: {self._explain(message)}; usage: {self._line()}")

    def _explain(self, message: str) -> str:
        """What is wrong with the arguments. message: that of argparse."""
        if missing := re.fullmatch(r"the following arguments are required: (.*)", message):
            return ", ".join(map(self._described, missing[1].split(", "))) + " is missing"
        if unknown := re.fullmatch(r"unrecognized arguments: (.*)", message):
            return self._unknown(unknown[1].split(" ")[0])
        if value := re.fullmatch(r"argument (\S+): invalid (\w+) value: (.*)", message):
            kind = {"int": "a whole number", "float": "a number"}.get(value[2], f"a {value[2]}")
            return f"{value[1]} {value[3]}: must be {kind}"
        if lacking := re.fullmatch(r"argument (\S+): expected .*", message):
            return f"{lacking[1]}: a value is missing, as in {self._example(lacking[1])}"
        if choice := re.fullmatch(
            r"argument (\S+): invalid choice: (.*) \(choose from (.*)\)", message
        ):
            return f"{choice[1]} {choice[2]}: must be one of {choice[3]}"
        if unclear := re.fullmatch(r"ambiguous option: (\S+) could match (.*)", message):
            return f"{unclear[1]}: did you mean {' or '.join(unclear[2].split(', '))}?"
        if flag := re.fullmatch(r"argument (\S+): ignored explicit argument (.*)", message):
            return f"{flag[1]} takes no value, and here is {flag[2]}"
        return message

    def _unknown(self, word: str) -> str:
        """What is wrong with an argument that the command does not take."""
        if not word.startswith("-"):
            return f"{word} is one argument too many in {shlex.join(self._words)}"
        option = word.partition("=")[0]
        known = [name for action in self._actions for name in action.option_strings]
        near = difflib.get_close_matches(option, known, n=1, cutoff=0.6)
        return f"{word}: no such option" + (f"; did you mean {near[0]}?" if near else "")

    def _described(self, name: str) -> str:
        """An argument with its help, such as `OUT (folder of a dataset)`."""
        helps = {self._name(action): action.help for action in self._actions}
        return f"{name} ({helps[name]})" if helps.get(name) else name

    def _example(self, option: str) -> str:
        for action in self._actions:
            if option in action.option_strings:
                return f"{option} {action.metavar or action.dest.upper()}"
        return f"{option} VALUE"

    def _name(self, action: argparse.Action) -> str:
        return "/".join(action.option_strings) or str(action.metavar or action.dest)

    def _line(self) -> str:
        """The usage in one line."""
        return " ".join(self.format_usage().split()).removeprefix("usage: ")
