"""The entry point of the command line: picks the command, and turns errors into exit codes."""

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
    """SIGTERM, handled like Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 bad usage, 130, 143."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _on_signals(_quit_at_once)
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
        # The reader of the output has closed it, as in `depthmask plugins | head`.
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
    # Import only what the command needs: help and plugins start without hydra.
    module = importlib.import_module(f"depthmask.cli.{command.replace('-', '_')}")
    _on_signals(_raise)
    return int(module.main(words))


def _on_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        # The parent process may have had the signal ignored, as shells do for background jobs.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, handler)


def _quit_at_once(signum: int, frame: FrameType | None) -> None:
    # While modules are being imported no work has started, and an exception in the middle of an
    # import may be swallowed, after which the run would go on.
    os.write(2, f"{_INTERRUPTED}\n".encode())
    os._exit(128 + signum)


def _raise(signum: int, frame: FrameType | None) -> None:
    raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt


def _interrupted(code: int) -> int:
    # The process is about to exit, and a second signal would only add a traceback.
    _on_signals(_ignore)
    print(_INTERRUPTED, file=sys.stderr)
    return code


def _ignore(signum: int, frame: FrameType | None) -> None:
    pass
