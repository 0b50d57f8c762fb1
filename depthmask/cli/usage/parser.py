"""Splits the arguments of a command into words and options, as its page declares them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from depthmask.cli.usage.page import Option, Page
from depthmask.cli.usage.pages import PAGES
from depthmask.errors import UsageError

_SETTING = re.compile(r"[+~]|[A-Za-z][\w.@/]*=")
_KINDS = {int: "a whole number", float: "a number"}


def parse(command: str, arguments: Sequence[str]) -> dict[str, Any]:
    """The words and options of a command, by the names in its page, without dashes.

    An option that is not among the arguments is None, a flag False. Raises `UsageError` for what
    the command does not accept, and for what is missing.
    """
    page = PAGES[command]
    values: dict[str, Any] = {_key(one): None if one.value else False for one in page.options}
    words, remaining = [], iter(arguments)
    for argument in remaining:
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        option, text = _option(command, page, argument)
        values[_key(option)] = _value(command, option, text, remaining)
    _require_words(command, words, arguments)
    for option in page.options:
        if option.is_required and values[_key(option)] is None:
            raise UsageError(f"{command} needs {option.shown}, {option.help}; {_usage(command)}")
    return {**dict(zip((word.name for word in page.words), words, strict=True)), **values}


def _option(command: str, page: Page, argument: str) -> tuple[Option, str | None]:
    """The option that an argument names, and the text after `=`, None without one."""
    name, equals, text = argument.partition("=")
    for option in page.options:
        if name in (option.name, option.short):
            return option, text if equals else None
    names = [option.name for option in page.options]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]}? U" if near else "; u"
    raise UsageError(f"{argument}: {command} has no such option{meant}{_usage(command)[1:]}")


def _value(command: str, option: Option, text: str | None, remaining: Iterator[str]) -> Any:
    if not option.value:
        if text is not None:
            raise UsageError(f"{option.name}={text}: {option.name} takes no value")
        return True
    text = next(remaining, None) if text is None else text
    if not text:
        raise UsageError(f"{option.name} needs a value: {option.shown}, {option.help}")
    try:
        return option.kind(text)
    except ValueError:
        raise UsageError(f"{option.name} {text}: must be {_KINDS[option.kind]}") from None


def _require_words(command: str, words: Sequence[str], arguments: Sequence[str]) -> None:
    """Raise `UsageError` for a setting among the words, a word too many, or one that is missing."""
    for text in words:
        if _SETTING.match(text) and not text.startswith("~/") and not Path(text).exists():
            raise UsageError(f"{text}: {command} takes no settings; {_usage(command)}")
    declared = PAGES[command].words
    if len(words) > len(declared):
        raise UsageError(
            f"{words[len(declared)]} is one word too many in `{command} {' '.join(arguments)}`; "
            f"{_usage(command)}"
        )
    for word in declared[len(words) :]:
        raise UsageError(f"{command} needs {word.name}, {word.help}; {_usage(command)}")


def _usage(command: str) -> str:
    return f"usage: python -m depthmask {PAGES[command].usage(command)}"


def _key(option: Option) -> str:
    return option.name.strip("-=")
