"""Writes the commands that depthmask prints, so that each works when it is pasted into bash.

A word passes through two readers: the shell, and Hydra's grammar, which reads `1e3` as a number and
`a,b` as two values. `word` quotes for the first, `setting` for the second.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from depthmask.untrusted import visible

PROGRAM = ("python", "-m", "depthmask")
_PLAIN = re.compile(r"(?:\.{1,2}/)*[A-Za-z_/][\w./:-]*", re.ASCII)
"""Texts that Hydra accepts without quotes, except `_RESERVED`."""
_RESERVED = ("true", "false", "null", "inf", "nan", "yes", "no", "on", "off")
_SPECIAL = re.compile(r"(\\*)('|\$\{|$)")
_ESCAPES = {"'": "\\'", "${": "\\${", "": ""}
_OPTION_OR_URL = re.compile(r"[-+~]|(?!.*://)[^/]*:")
"""How a relative path begins that our commands would not read as a path."""


def command(*words: str, program: Sequence[str] = PROGRAM) -> str:
    """The command of depthmask with these words, each quoted where bash needs it."""
    return " ".join(map(word, (*program, *words)))


def word(text: str) -> str:
    r"""The text as one word for bash; `$'a\x09b'` if a terminal does not show all its characters.

    In double quotes if it has single ones, which is readable.
    """
    if visible(text) != text:
        return f"$'{''.join(map(_ansi, text))}'"
    if "'" in text and not set(text) & set('"$`\\!'):
        return f'"{text}"'
    return shlex.quote(text)


def _ansi(char: str) -> str:
    """A character between `$'` and `'`."""
    if char in "\\'":
        return f"\\{char}"
    if char == "!" or visible(char) != char:  # An interactive bash replaces `!` here.
        return "".join(f"\\x{byte:02x}" for byte in char.encode(errors="surrogateescape"))
    return char


def setting(name: str, value: str) -> str:
    """`NAME=VALUE` for `command`, of a setting that is a text or a path."""
    return f"{name}={text_value(value)}"


def text_value(text: str) -> str:
    """The text as a value in Hydra's grammar, with quotes and interpolations escaped.

    https://hydra.cc/docs/advanced/override_grammar/basic/
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    escaped = _SPECIAL.sub(lambda match: 2 * match[1] + _ESCAPES[match[2]], text)
    return f"'{escaped}'"


def path_word(path: object) -> str:
    """The path as a word that our commands and settings take for a path, whatever its name."""
    text = str(path)
    return f"./{text}" if _OPTION_OR_URL.match(text) else text
