"""The entry point of the command line: calls the command, and turns errors into exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import FrameType

from depthmask.cli import dry_run, lines
from depthmask.cli.dispatch import command_of
from depthmask.cli.system_error import as_depthmask_error
from depthmask.cli.usage.commands import RESUMED
from depthmask.config.options import refuse_accidents
from depthmask.errors import TRACEBACK, DepthmaskError
from depthmask.forks import refuse_worker_import
from depthmask.stage.calls import StageError
from depthmask.storage.location import refuse_passwords
from depthmask.untrusted import visible_traceback

_INTERRUPTED = "interrupted"
_RESUME = f"{_INTERRUPTED}; run the same command again to resume"


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM or SIGHUP, which are handled like Ctrl-C."""

    def __init__(self, signum: int = signal.SIGTERM) -> None:
        super().__init__()
        self.exit_code = 128 + signum


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 bad usage, 129, 130, 143."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Errors come before the config, which has the setting, is composed.
    styles = [word.partition("=")[2] for word in words if word.lstrip("+").startswith("progress=")]
    lines.use(styles[-1] if styles else "")
    interrupted = _interruption(words)
    _set_signal_handlers(partial(_quit_at_once, interrupted))
    try:
        code = _dispatch(words)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except StageError as error:
        return _failed(as_depthmask_error(error))
    except DepthmaskError as error:
        return _failed(error)
    except Terminated as end:
        return _end_interrupted(end.exit_code, interrupted)
    except KeyboardInterrupt:
        return _end_interrupted(130, interrupted)
    except BrokenPipeError:
        # The reader closed the pipe, as in `depthmask plugins | head`.
        sys.stderr.close()
        return 0
    except OSError as error:
        return _failed(as_depthmask_error(error))


def _dispatch(words: list[str]) -> int:
    # First, since a worker sees the words that Hydra was called with.
    refuse_worker_import()
    for word in words:
        refuse_passwords(word)
        refuse_accidents(word)
    run, words = command_of(words)
    _set_signal_handlers(_raise_interrupt)
    with _caches_unchanged() if dry_run.is_used() else nullcontext():
        return run(words)


def _caches_unchanged() -> AbstractContextManager[None]:
    # Imported here, since a run imports it later, and the help never.
    from depthmask.caching import nothing_stored

    return nothing_stored()


def _failed(error: DepthmaskError) -> int:
    """Print an error, with its traceback if the user asked for that; returns the exit code."""
    facts: dict[str, object] = {"code": error.exit_code}
    if os.environ.get(TRACEBACK) == "1":
        facts["traceback"] = visible_traceback(error)
    lines.say(str(error), "error", **facts)
    return error.exit_code


def _set_signal_handlers(handler: Callable[[int, FrameType | None], None]) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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
    raise KeyboardInterrupt if signum == signal.SIGINT else Terminated(signum)


def _end_interrupted(code: int, line: str) -> int:
    # The process is about to exit; a second signal would only print a traceback.
    _set_signal_handlers(_ignore)
    lines.say(line, "interrupted")
    return code


def _ignore(signum: int, frame: FrameType | None) -> None:
    pass
