"""The commands that plugins add to the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from depthmask.errors import UsageError

_NAME = re.compile("[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a plugin adds: `python -m depthmask NAME ...`.

    name: of lower-case letters, digits and -. help: one line. main: called with the words after the
    name, `--help` among them; returns the exit code, None for 0. Raises `UsageError` for a field
    that cannot be used.
    """

    name: str
    help: str
    main: Callable[[list[str]], int | None]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise UsageError(
                f"command {self.name!r}: the name must be lower-case letters, digits and -"
            )
        if not isinstance(self.help, str) or not self.help or not self.help.isprintable():
            raise UsageError(f"command {self.name}: help must be one line")
        if not callable(self.main):
            raise UsageError(f"command {self.name}: main={self.main!r} must be a function")
