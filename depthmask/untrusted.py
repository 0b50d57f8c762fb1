"""Guards code that decodes files from unknown sources, and code that shows their texts."""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from depthmask.errors import DepthmaskError, MachineError, UsageError, refuse_machine_errors

_MOST_CHARACTERS = 500
"""The most characters of an error message."""
_OBEYED = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""The Unicode categories of characters that act and are not seen: control and format characters,
lone surrogates, and separators of lines and paragraphs."""
_LINE_BREAK = re.compile(r"\n(?=  )")


def visible(text: str) -> str:
    r"""The text in one line, with control characters as a terminal can show them, such as `\x1b`.

    So are characters that turn the direction of texts or have no width, and bytes of a file name
    that are not UTF-8. Otherwise a name could move the cursor, or look like another line.
    """
    if text.isprintable():
        return text
    return "".join(
        _escaped(char) if unicodedata.category(char) in _OBEYED else char for char in text
    )


def is_one_line(text: str) -> bool:
    """Whether a text is one line, without characters that act and are not seen.

    Other spaces than that of the keyboard are allowed, such as the narrow one in the names of
    macOS's screenshots; `str.isprintable` refuses them.
    """
    return not unseen(text)


def unseen(text: str) -> str:
    """The first character of a text that acts and is not seen; empty without one."""
    if text.isprintable():
        return ""
    return next((char for char in text if unicodedata.category(char) in _OBEYED), "")


def visible_lines(text: str) -> str:
    """The same for a text of several lines, whose line breaks stay: they are none of a name."""
    return "\n".join(map(visible, text.split("\n")))


def visible_message(text: str) -> str:
    """The same for a message, whose lines but the first are indented by two spaces."""
    return "\n".join(map(visible, _LINE_BREAK.split(text)))


def visible_traceback(error: BaseException) -> str:
    """The traceback of an error as Python prints it, with the messages of errors in one line."""
    entries = (entry.strip("\n") for entry in traceback.format_exception(error))
    return "".join(f"{visible_message(entry)}\n" for entry in entries)


def other_accents(name: str, other: str) -> str:
    """What to add where a message names both and they look the same; empty if they do not.

    Unicode spells most accents in two ways: as one character, or as a letter and a mark.
    """
    is_same = unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", other)
    return " (the accents in it are spelled in another way)" if is_same and name != other else ""


def accents_alike(name: str, others: Iterable[str]) -> str:
    """The same for a name that is missing, if one of the others looks like it."""
    return next(filter(None, (other_accents(name, one) for one in others)), "")


def _escaped(char: str) -> str:
    is_byte = "\udc80" <= char <= "\udcff"
    return f"\\x{ord(char) - 0xDC00:02x}" if is_byte else repr(char)[1:-1]


@contextmanager
def untrusted(name: str) -> Iterator[None]:
    """Turn any error inside the block into a `DepthmaskError` in one line, after `name`."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{name}: {_short(error)}") from None
    except MachineError:
        raise
    except DepthmaskError as error:
        raise DepthmaskError(f"{name}: {_short(error)}") from None
    except Exception as error:
        refuse_machine_errors(name, error)
        # Decoders raise many types: OSError, SyntaxError, KeyError, struct.error, ...
        reason = _short(error) or type(error).__name__
        raise DepthmaskError(f"{name}: cannot be read ({reason})") from None


def _short(error: Exception) -> str:
    """The message in one line, shortened since it may repeat the content of the file."""
    text = " ".join(str(error).split())
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} ..."
