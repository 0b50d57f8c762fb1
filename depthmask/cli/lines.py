"""Writes lines to stderr in the style that `progress` of the command line chose."""

from __future__ import annotations

import sys
from typing import Any

from depthmask.engine.displays import lines

_style = ""


def use(style: str) -> None:
    """Write lines in the style of a value of `progress` from now on; a process has one stderr."""
    global _style
    _style = style


def say(text: str, event: str = "line", **facts: Any) -> None:
    """Write a line to stderr. event, facts: as in `depthmask.engine.displays.lines.say`."""
    lines.say(_style, text, event, **facts)


def formatted(text: str, event: str = "line", **facts: Any) -> str:
    """The line as `say` writes it."""
    return lines.formatted(_style, text, event, **facts)


def show_path(path: object) -> None:
    """Write the path that a command has made to stdout, alone, for `$(python -m depthmask ...)`."""
    try:
        print(path, flush=True)
    except UnicodeEncodeError:
        # A folder's name may hold any bytes.
        sys.stdout.buffer.write(f"{path}\n".encode(errors="surrogateescape"))
