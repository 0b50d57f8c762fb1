"""Writes lines to stderr: as text, or with `progress=json` each as a JSON object."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

from depthmask.untrusted import visible_lines, visible_message

_ERRORS = ("error", "interrupted")
"""The events that are written with `progress=none` too."""
_TABLES = ("table",)
"""The events whose text is a line for each row."""
_NAMED = ("note", "warning", "error")
"""The events whose name stands before the text."""


def say(style: str, text: str, event: str = "line", **facts: Any) -> None:
    """Write a line to stderr in the style of a value of `progress`.

    event: what the line is about, for programs. facts: the numbers in the text, for the JSON object
    alone, and a `traceback`, as of `visible_traceback`, which stands before the text.
    """
    if style != "none" or event in _ERRORS:
        _write(formatted(style, text, event, **facts))


def formatted(style: str, text: str, event: str = "line", **facts: Any) -> str:
    """The line as `say` writes it."""
    if style == "json":
        # JSON leaves this control character alone as it is.
        return json.dumps({"event": event, "text": text, **facts}, default=str).replace(
            "\x7f", "\\u007f"
        )
    if event in _TABLES:
        return visible_lines(text)
    named = f"{event}: {text}" if event in _NAMED else text
    return f"{facts.get('traceback', '')}{visible_message(named)}"


def _write(line: str) -> None:
    # A reader of stderr that goes away does not end a run of hours.
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            # An object that a program has put in its place may have no `flush`.
            print(line, file=sys.stderr, flush=hasattr(sys.stderr, "flush"))
