"""Reads the names of the settings in words of a command line."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from depthmask.config.command_line import options_and_overrides
from depthmask.config.explain.words import has_no_name, unreadable
from depthmask.config.registry import near
from depthmask.errors import UsageError


def names_of(words: Sequence[str]) -> list[str]:
    """The names of the settings in the words, such as `encode.depth`; `UsageError` without one."""
    _, overrides = options_and_overrides(words)
    if nameless := next(filter(has_no_name, overrides), None):
        raise UsageError(unreadable(nameless, overrides))
    return [word.lstrip("+~").partition("=")[0].partition("@")[0] for word in overrides]


def require_accepted(command: str, words: Sequence[str], accepted: Collection[str]) -> None:
    """Raise `UsageError` for a setting that a command does not accept.

    accepted: names of settings and config groups.
    """
    for name in names_of(words):
        if name.partition(".")[0] not in (*accepted, "hydra"):
            meant = near(name.partition(".")[0].lower(), list(accepted))
            hint = f"; did you mean {meant}?" if meant else ""
            raise UsageError(
                f"{command} does not accept {name}{hint}; accepted: {', '.join(accepted)}"
            )
