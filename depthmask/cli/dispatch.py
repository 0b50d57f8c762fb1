"""Finds the command that a command line names."""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from depthmask.cli import dry_run
from depthmask.cli.usage.commands import COMMANDS
from depthmask.errors import UsageError

Main: TypeAlias = Callable[[list[str]], int]
"""The function of a command: takes the words after its name, returns the exit code."""
_HELP = {"--help", "-h"}


def command_of(words: list[str]) -> tuple[Main, list[str]]:
    """The command that a command line names, and the words for it; notes whether it is a dry run.

    Raises `UsageError` if there is no such command.
    """
    return _command(_without_dry_run(words))


def _without_dry_run(words: list[str]) -> list[str]:
    """Take `--dry-run` out of the words, and keep in mind that it was among them.

    A command of a plugin may have an option of its own of this name.
    """
    name = words[0] if words and words[0][:1].isalpha() and "=" not in words[0] else "run"
    dry_run.use(name in dry_run.COMMANDS and dry_run.OPTION in words)
    if dry_run.is_used():
        return [word for word in words if word != dry_run.OPTION]
    if dry_run.OPTION in words and name in COMMANDS:
        raise UsageError(
            f"{dry_run.OPTION}: {name} makes no dataset; it is for {', '.join(dry_run.COMMANDS)}"
        )
    return words


def _command(words: list[str]) -> tuple[Main, list[str]]:
    """The command that a command line names, and the words for it."""
    name = words[0] if words else "run"
    is_name = "=" not in name and not name.startswith(("-", "+", "~"))
    if is_name and name not in COMMANDS and (run := _plugin_command(name)) is not None:
        return run, words[1:]
    if "=" in name and (command := _command_meant(name.partition("=")[0])):
        raise UsageError(f"{name}: {command} is a command; write {command} and a space after it")
    if is_name and name not in COMMANDS:
        raise UsageError(_no_such_command(words))
    if _HELP & {*words} or name == "help":
        return _help(words)
    if "--version" in words:
        return _built_in_command("version"), []
    return (_built_in_command(name), words[1:]) if is_name else (_built_in_command("run"), words)


def _help(words: list[str]) -> tuple[Main, list[str]]:
    """The command that prints the help that the words ask for, and the words for it."""
    topic = _help_topic(words)
    is_name = topic.isidentifier() or "-" in topic
    if is_name and topic not in COMMANDS and (run := _plugin_command(topic)) is not None:
        return run, ["--help"]
    return _built_in_command("help"), [topic] if topic else []


def _help_topic(words: list[str]) -> str:
    """What the words want to know more about: `verify OUT --help`, `--help verify`; or nothing."""
    first, others = words[0], [word for word in words if word not in _HELP]
    if first == "help":
        return next(iter(others[1:] or (words[1:] and ["help"])), "")
    if first in COMMANDS:
        return first
    return next(iter(others), "") if first in _HELP else ""


def _command_meant(name: str) -> str | None:
    """The command that a name before `=` means; None if it is likely to mean a setting."""
    return next(iter(difflib.get_close_matches(name.lower(), COMMANDS, n=1, cutoff=0.8)), None)


def _built_in_command(name: str) -> Main:
    # Import only what the command needs: `help` and `plugins` start without Hydra.
    run: Main = importlib.import_module(f"depthmask.cli.commands.{name.replace('-', '_')}").main
    return run


def _plugin_command(name: str) -> Main | None:
    # Imported here, since plugins are loaded only if none of the built-in commands is meant.
    from depthmask.config.plugins import registry

    registered = registry().command(name)
    return None if registered is None else registered.main


def _no_such_command(words: list[str]) -> str:
    """The message for a name that is no command; it tells of plugins that are left out."""
    # Imported here, since only this message needs them.
    from depthmask.config.explain.files import words_for
    from depthmask.config.explain.words import bare_name
    from depthmask.config.plugins import registry
    from depthmask.config.registry import suggestion
    from depthmask.storage.shell import command, path_word

    if setting := bare_name(words):
        return setting
    if os.path.isfile(os.path.join(words[0], "plan.json")):
        resume = command("resume", path_word(words[0]))
        return f"{words[0]} is a dataset; write a command before it, such as `{resume}`"
    if chosen := words_for(Path(words[0])):
        return f"{words[0]}: a config is chosen by its name; write {chosen}"
    names = [*COMMANDS, *registry().commands]
    problems = "".join(f"; {problem}" for problem in registry().problems)
    return (
        f"{words[0]}: no such command{suggestion(words[0], names)}; settings are written "
        f"NAME=VALUE{problems}"
    )
