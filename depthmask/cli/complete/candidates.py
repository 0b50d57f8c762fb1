"""The candidates for the word at the cursor, by the page of the command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from depthmask.cli.complete.line import TypedLine
from depthmask.cli.complete.paths import datasets, files, inputs
from depthmask.cli.usage.commands import COMMANDS
from depthmask.cli.usage.page import Option, Page, Word
from depthmask.cli.usage.pages import PAGES


def candidates(line: str) -> list[str]:
    """The words that the last one of a command line may become, sorted."""
    return candidates_of(TypedLine.parse(line))


def candidates_of(line: TypedLine) -> list[str]:
    """Like `candidates`, for a line that is split."""
    return sorted({one for one in _offered(line) if one.startswith(line.word)})


def _offered(line: TypedLine) -> Iterator[str]:
    first = line.earlier[0] if line.earlier else ""
    command = first if first in COMMANDS else "run"
    if not line.earlier:
        yield from COMMANDS
        yield from _plugin_commands()
    elif first in _plugin_commands() and first not in COMMANDS:
        return  # It reads its words itself.
    earlier = line.earlier[1:] if first == command else line.earlier
    if command == "help":
        yield from _topics(line.word)
    else:
        yield from _arguments(PAGES[command], earlier, line.word)


def _arguments(page: Page, earlier: Sequence[str], typed: str) -> Iterator[str]:
    """Yield what may stand after a command."""
    if (option := _awaiting(page, earlier)) is not None:
        yield from _values(option, typed)
        return
    if typed.startswith("-"):
        yield from (option.name for option in page.options if option.name.startswith("-"))
        yield "--help"
        return
    for option in page.options:
        if option.name.endswith("="):
            yield from _with_value(option, typed)
    number = len(_words(page, earlier))
    if number < len(page.words) and "=" not in typed:
        yield from _of_word(page.words[number], typed)
    if page.settings and number >= len(page.words):
        # Imported here: only these words need all plugins.
        from depthmask.cli.complete.settings import setting_words

        yield from setting_words(earlier, typed, page.settings)


def _with_value(option: Option, typed: str) -> Iterator[str]:
    """Yield `NAME=`, or with that typed, `NAME=VALUE` for each value."""
    if typed.startswith(option.name):
        values = _values(option, typed.removeprefix(option.name))
        yield from (f"{option.name}{value}" for value in values)
    else:
        yield option.name


def _awaiting(page: Page, earlier: Sequence[str]) -> Option | None:
    """The option whose value is the next word; None if there is none."""
    last = earlier[-1] if earlier else ""
    dashed = [one for one in page.options if one.value and one.name.startswith("-")]
    return next((one for one in dashed if last in (one.name, one.short) and last), None)


def _words(page: Page, earlier: Sequence[str]) -> list[str]:
    """The earlier words that are no options, no values of options and no settings."""
    return [
        word
        for number, word in enumerate(earlier)
        if not word.startswith(("-", "+", "~"))
        and "=" not in word
        and _awaiting(page, earlier[:number]) is None
    ]


def _of_word(word: Word, typed: str) -> list[str]:
    if word.choices:
        return list(word.choices)
    if not word.is_path:
        return []
    return inputs(typed) if word.takes_files else datasets(typed)


def _values(option: Option, typed: str) -> list[str]:
    return files(typed) if option.is_path else list(option.choices)


def _topics(typed: str) -> Iterator[str]:
    from depthmask.config.plugins import registry
    from depthmask.config.registry import KINDS

    yield from (*COMMANDS, *_plugin_commands(), *KINDS)
    if "=" in typed:
        kind = typed.partition("=")[0]
        yield from (f"{kind}={one.stage.name}" for one in registry().offered(kind))


def _plugin_commands() -> list[str]:
    # Imported here, since plugins are loaded only where their names are needed.
    from depthmask.config.plugins import registry

    return list(registry().commands)
