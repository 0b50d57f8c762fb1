"""The page of a command as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from depthmask.cli.usage.commands import COMMANDS
from depthmask.cli.usage.page import ANY
from depthmask.cli.usage.pages import INPUT, PAGES

_WIDTH = 80
_SIZE_OF_PHOTOGRAPHS = (
    "crop and resize photographs to [height, width]; without it each keeps its own size"
)


def page_text(command: str) -> str:
    """The help of a command: what it does, its usage, what it accepts, two examples."""
    page = PAGES[command]
    parts = [f"usage: python -m depthmask {page.usage(command)}", summary_of(command)]
    if page.about:
        parts.append("\n".join(textwrap.wrap(page.about, _WIDTH, break_on_hyphens=False)))
    if rows := arguments_of(command):
        parts.append("\n".join(["arguments:", *_table(rows)]))
    if rows := list(settings_of(command)):
        parts.append("\n".join(["settings:", *_table(rows)]))
    examples = [f"  python -m depthmask {words}" for words in page.examples]
    parts.append("\n".join(["examples:", *examples]))
    return "\n\n".join(parts)


def summary_of(command: str) -> str:
    """What a command does, in a sentence."""
    text = COMMANDS[command].partition(":")[0]
    return f"{text[:1].upper()}{text[1:]}."


def arguments_of(command: str) -> list[tuple[str, str]]:
    """The words and options of a command, each with its help."""
    page = PAGES[command]
    words = [(word.name, word.help) for word in page.words]
    options = [(one.shown, _with_choices(one.help, one.choices)) for one in page.options]
    return [*words, *options]


def settings_of(command: str) -> Iterator[tuple[str, str]]:
    """Yield the settings and config groups that a command accepts, each with its help."""
    # Imported here: only the help of some commands needs all plugins.
    from depthmask.config.plugins import registry
    from depthmask.config.registry import KINDS, LISTS
    from depthmask.config.root import BLOCKS, Root
    from depthmask.stage import describe_settings

    accepted = PAGES[command].settings
    if accepted == (ANY,):
        yield "NAME=VALUE", "any setting, as in `python -m depthmask --help`"
        return
    settings = {setting.name: setting for setting in describe_settings(Root)}
    for name in accepted:
        if name in KINDS:
            choices = ", ".join(sorted(one.stage.name for one in registry().offered(name)))
            value = "[NAME,NAME]" if name in LISTS else "NAME"
            yield f"{name}={value}", f"{choices}; see `python -m depthmask help {name}`"
        elif name in BLOCKS:
            yield f"{name}.SETTING=VALUE", settings[name].help.removesuffix(" (see below)")
        elif name == "size" and INPUT in PAGES[command].words:
            yield "size=[H,W]", _SIZE_OF_PHOTOGRAPHS
        else:
            yield f"{name}={settings[name].default}", settings[name].help


def _with_choices(text: str, choices: Sequence[str]) -> str:
    return f"{text} ({', '.join(choices)})" if choices else text


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(name) for name, _ in rows)
    return [f"  {name:<{width}}  {text}" for name, text in rows]
