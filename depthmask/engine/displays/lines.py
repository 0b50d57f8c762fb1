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
_NAMED = ("note", "warning", "error")
"""The events whose name stands before the text."""


def say(style: str, text: str, event: str = "line", **facts: Any) -> None:
    """Write a line to stderr in the style of a value of `progress`.

    event: what the line is about, for programs. facts: the numbers in the text, for the JSON object
    alone, and a `traceback`, which stands before the text.
    """
    if style != "none" or event in _ERRORS:
        _write(formatted(style, text, event, **facts))


def formatted(style: str, text: str, event: str = "line", **facts: Any) -> str:
    """The line as `say` writes it."""
    if style == "json":
        return json.dumps({"event": event, "text": text, **facts}, default=str)
    named = f"{event}: {text}" if event in _NAMED else text
    return without_control(f"{facts.get('traceback', '')}{named}")


def without_control(text: str) -> str:
    """The text with control characters as a terminal can show them without obeying them."""
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def _write(line: str) -> None:
    # A reader of stderr that goes away does not end a run of hours.
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            # An object that a program has put in its place may have no `flush`.
            print(line, file=sys.stderr, flush=hasattr(sys.stderr, "flush"))
