"""The entry point of the command line: calls the command, and turns errors into exit codes."""

from __future__ import annotations

import difflib
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import FrameType
from typing import TypeAlias

from depthmask.cli import dry_run, lines
from depthmask.cli.commands import COMMANDS, RESUMED
from depthmask.errors import TRACEBACK, DepthmaskError, UsageError
from depthmask.stage.calls import StageError
from depthmask.storage.location import refuse_passwords

Main: TypeAlias = Callable[[list[str]], int]
"""The function of a command: takes the words after its name, returns the exit code."""
_HELP = {"--help", "-h"}
_INTERRUPTED = "interrupted"
_RESUME = f"{_INTERRUPTED}; run the same command again to resume"


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM, which is handled like Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 bad usage, 130, 143."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Errors come before the config, which has the setting, is composed.
    styles = [word.partition("=")[2] for word in words if word.lstrip("+").startswith("progress=")]
    lines.use(styles[-1] if styles else "")
    interrupted = _interruption(words)
    _set_signal_handlers(partial(_quit_at_once, interrupted))
    try:
        return _dispatch(words)
    except StageError as error:
        return _failed(_named(error))
    except DepthmaskError as error:
        return _failed(error)
    except Terminated:
        return _end_interrupted(143, interrupted)
    except KeyboardInterrupt:
        return _end_interrupted(130, interrupted)
    except BrokenPipeError:
        # The reader closed the pipe, as in `depthmask plugins | head`.
        sys.stderr.close()
        return 0


def _dispatch(words: list[str]) -> int:
    for word in words:
        refuse_passwords(word)
    run, words = _command(_without_dry_run(words))
    _set_signal_handlers(_raise_interrupt)
    with _caches_unchanged() if dry_run.is_used() else nullcontext():
        return run(words)


def _caches_unchanged() -> AbstractContextManager[None]:
    # Imported here, since a run imports it later, and the help never.
    from depthmask.caching import nothing_stored

    return nothing_stored()


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
    run: Main = importlib.import_module(f"depthmask.cli.{name.replace('-', '_')}").main
    return run


def _plugin_command(name: str) -> Main | None:
    # Imported here, since plugins are loaded only if none of the built-in commands is meant.
    from depthmask.config.plugins import registry

    registered = registry().command(name)
    return None if registered is None else registered.main


def _no_such_command(words: list[str]) -> str:
    """The message for a name that is no command; it tells of plugins that are left out."""
    # Imported here, since only this message needs them.
    from depthmask.config.explain.words import bare_name
    from depthmask.config.plugins import registry
    from depthmask.config.registry import suggestion

    if setting := bare_name(words):
        return setting
    if os.path.isfile(os.path.join(words[0], "plan.json")):
        return f"{words[0]} is a dataset; write a command before it, such as `resume {words[0]}`"
    names = [*COMMANDS, *registry().commands]
    problems = "".join(f"; {problem}" for problem in registry().problems)
    return (
        f"{words[0]}: no such command{suggestion(words[0], names)}; settings are written "
        f"NAME=VALUE{problems}"
    )


def _named(error: StageError) -> DepthmaskError:
    # Imported here, since other errors do not need Hydra.
    from depthmask.cli.hydra_run import as_depthmask_error

    return as_depthmask_error(error)


def _failed(error: DepthmaskError) -> int:
    """Print an error, with its traceback if the user asked for that; returns the exit code."""
    facts: dict[str, object] = {"code": error.exit_code}
    if os.environ.get(TRACEBACK) == "1":
        facts["traceback"] = "".join(traceback.format_exception(error))
    prefix = f"{facts.get('traceback', '')}error: "
    lines.say(str(error), "error", prefix=prefix, **facts)
    return error.exit_code


def _set_signal_handlers(handler: Callable[[int, FrameType | None], None]) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        # Keep signals ignored that the parent process ignores, as shells do for background jobs.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, handler)


def _interruption(words: list[str]) -> str:
    """The line that an interruption of a command line ends with: whether it can be resumed."""
    name = words[0] if words else "run"
    is_run = "=" in name or not name[:1].isalpha()
    is_repair = name == "verify" and "--repair" in words
    return _RESUME if is_run or is_repair or name in RESUMED else _INTERRUPTED


def _quit_at_once(line: str, signum: int, frame: FrameType | None) -> None:
    # Used while modules are imported: no work has started, and an exception in the middle of an
    # import might be swallowed, and the run would continue.
    os.write(2, f"{lines.formatted(line, 'interrupted')}\n".encode())
    os._exit(128 + signum)


def _raise_interrupt(signum: int, frame: FrameType | None) -> None:
    raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt


def _end_interrupted(code: int, line: str) -> int:
    # The process is about to exit; a second signal would only print a traceback.
    _set_signal_handlers(_ignore)
    lines.say(line, "interrupted")
    return code


def _ignore(signum: int, frame: FrameType | None) -> None:
    pass
