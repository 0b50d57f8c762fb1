"""Writes what commands say: results to stdout, the rest to stderr as `progress` asks for."""

from __future__ import annotations

import sys
from typing import Any

from depthmask.engine.displays import lines
from depthmask.untrusted import visible, visible_lines

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


def show(*rows: object) -> None:
    """Write lines to stdout, each with the control characters of names in it visible."""
    _print("\n".join(visible(str(row)) for row in rows))


def show_block(text: str) -> None:
    """Write a text to stdout whose line breaks are all ours, such as a table or a page of help."""
    _print(visible_lines(text))


def show_exactly(text: str) -> None:
    """Write to stdout what programs read: paths, configs, words. A terminal gets it as `show`."""
    if sys.stdout is not None and sys.stdout.isatty():
        show_block(text)
        return
    try:
        print(text, flush=True)
    except UnicodeEncodeError:
        # A folder's name may hold any bytes, and stdout may have another encoding than names.
        sys.stdout.buffer.write(f"{text}\n".encode(errors="surrogateescape"))
        sys.stdout.flush()


def show_path(path: object) -> None:
    """Write the path that a command has made to stdout, alone, for `$(python -m depthmask ...)`."""
    show_exactly(str(path))


def _print(text: str) -> None:
    """Write to stdout; characters that its encoding lacks are escaped as `visible` does."""
    try:
        print(text, flush=True)
    except UnicodeEncodeError as error:
        escaped = text.encode(error.encoding, "backslashreplace").decode(error.encoding)
        print(escaped, flush=True)
