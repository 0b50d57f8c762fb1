"""The entry point of the command line: calls the command, and turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from depthmask.cli.commands import COMMANDS
from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage.location import refuse_passwords

_INTERRUPTED = "interrupted; run the same command again to resume"


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM, which is handled like Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 bad usage, 130, 143."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _set_signal_handlers(_quit_at_once)
    try:
        return _dispatch(words)
    except DepthmaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Terminated:
        return _interrupted(143)
    except KeyboardInterrupt:
        return _interrupted(130)
    except BrokenPipeError:
        # The reader closed the pipe, as in `depthmask plugins | head`.
        sys.stderr.close()
        return 0


def _dispatch(words: list[str]) -> int:
    command = words[0] if words else "run"
    if "--help" in words or "-h" in words:
        command, words = "help", []
    elif "--version" in words:
        command, words = "version", []
    elif command in COMMANDS:
        words = words[1:]
    elif command[:1].isalpha() and "=" not in command:
        raise UsageError(
            f"{command}: no such command; available: {', '.join(COMMANDS)}; "
            "settings are written NAME=VALUE"
        )
    else:
        command = "run"
    for word in words:
        refuse_passwords(word)
    # Import only what the command needs: `help` and `plugins` start without Hydra.
    module = importlib.import_module(f"depthmask.cli.{command.replace('-', '_')}")
    _set_signal_handlers(_raise_interrupt)
    return int(module.main(words))


def _set_signal_handlers(handler: Callable[[int, FrameType | None], None]) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        # Keep signals ignored that the parent process ignores, as shells do for background jobs.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, handler)


def _quit_at_once(signum: int, frame: FrameType | None) -> None:
    # Used while modules are imported: no work has started, and an exception in the middle of an
    # import might be swallowed, and the run would continue.
    os.write(2, f"{_INTERRUPTED}\n".encode())
    os._exit(128 + signum)


def _raise_interrupt(signum: int, frame: FrameType | None) -> None:
    raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt


def _interrupted(code: int) -> int:
    # The process is about to exit; a second signal would only print a traceback.
    _set_signal_handlers(_ignore)
    print(_INTERRUPTED, file=sys.stderr)
    return code


def _ignore(signum: int, frame: FrameType | None) -> None:
    pass
