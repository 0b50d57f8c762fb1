"""Writes lines to stderr: as text, or with `progress=json` each as a JSON object."""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ERRORS = ("error", "interrupted")
"""The events that are written with `progress=none` too."""
_style = ""


def use(style: str) -> None:
    """Write lines in the style of a value of `progress` from now on; a process has one stderr."""
    global _style
    _style = style


def say(text: str, event: str = "line", *, prefix: str = "", **facts: Any) -> None:
    """Write a line to stderr.

    event: what the line is about, for programs. prefix: stands before the text, and is no part of
    the JSON object. facts: the numbers in the text, for the JSON object alone.
    """
    if _style != "none" or event in _ERRORS:
        _write(formatted(text, event, prefix=prefix, **facts))


def formatted(text: str, event: str = "line", *, prefix: str = "", **facts: Any) -> str:
    """The line as `say` writes it."""
    if _style == "json":
        return json.dumps({"event": event, "text": text, **facts}, default=str)
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], f"{prefix}{text}")


def show_path(path: object) -> None:
    """Write the path that a command has made to stdout, alone, for `$(python -m depthmask ...)`."""
    try:
        print(path, flush=True)
    except UnicodeEncodeError:
        # A folder's name may hold any bytes.
        sys.stdout.buffer.write(f"{path}\n".encode(errors="surrogateescape"))


def _write(line: str) -> None:
    # A reader of stderr that goes away does not end a run of hours.
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            print(line, file=sys.stderr, flush=True)
