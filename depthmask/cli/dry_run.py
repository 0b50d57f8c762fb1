"""Whether the command line has `--dry-run`, which any command that makes a dataset accepts."""

from __future__ import annotations

OPTION = "--dry-run"
COMMANDS = ("run", "annotate", "convert", "prepare", "resume", "extend", "repeat")
"""The commands that accept it."""
_is_used = False


def use(chosen: bool) -> None:
    """Let the command of this process say what it would make, or let it make that."""
    global _is_used
    _is_used = chosen


def is_used() -> bool:
    """Whether nothing is to be written."""
    return _is_used
