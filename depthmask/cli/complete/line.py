"""Reads a command line that is being typed, and writes words back as a shell expects them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

PROGRAM = "depthmask"
_SPECIAL = re.compile(r"([\s\\'\"$`&;|<>()*?!~#])")
_TOKEN = re.compile(r"""(?:\\.|"(?:\\.|[^"\\])*"?|'[^']*'?|[^\s\\"'])+\\?|\\$""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A command line up to the cursor.

    earlier: the words after the program that are complete. word: the one that is typed, without
    quotes. quote: the quote that is open in it, or nothing.
    """

    earlier: tuple[str, ...]
    word: str
    quote: str = ""

    @classmethod
    def parse(cls, line: str) -> TypedLine:
        """Split a line as bash does; quotes may be open at its end."""
        tokens = _TOKEN.findall(line)
        if not line or (line[-1].isspace() and not line.endswith("\\ ")):
            tokens.append("")
        words = [_unquoted(token) for token in tokens]
        begin = _first_argument(words)
        word, quote = words[-1]
        return cls(tuple(text for text, _ in words[begin:-1]), word, quote)


def for_bash(line: TypedLine, candidate: str, breaks: str) -> str:
    """What bash puts in place of the part of the word after its last break.

    breaks: the content of `COMP_WORDBREAKS`, at which bash splits words such as `NAME=VALUE`.
    """
    if line.quote:
        return candidate
    end = max((line.word.rfind(mark) for mark in set(breaks) & set("=:")), default=-1)
    return _SPECIAL.sub(r"\\\1", candidate[end + 1 :])


def _first_argument(words: list[tuple[str, str]]) -> int:
    """The number of the first word after `depthmask` or `python -m depthmask`."""
    texts = [text for text, _ in words[:-1]]
    for number in range(len(texts) - 1, 0, -1):
        if texts[number - 1 : number + 1] == ["-m", PROGRAM]:
            return number + 1
    names = [number for number, text in enumerate(texts) if os.path.basename(text) == PROGRAM]
    return names[0] + 1 if names else 1


def _unquoted(token: str) -> tuple[str, str]:
    """The text that a token stands for, and the quote that is open at its end."""
    text, quote, characters = "", "", iter(token)
    for character in characters:
        if character == "\\" and quote != "'":
            text += next(characters, "")
        elif character == quote:
            quote = ""
        elif character in "'\"" and not quote:
            quote = character
        else:
            text += character
    return text, quote
