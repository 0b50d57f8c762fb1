"""The command: verbs, and Hydra for the runs."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage.location import refuse_passwords

VERBS = {
    "run": "make, resume or extend a dataset (what happens without a verb)",
    "plugins": "list every stage and who provides it",
    "render": "make one sample of a dataset again, from its number alone",
    "stats": "print the statistics of a dataset",
    "report": "make one HTML page about a dataset: gallery, figures, checks",
    "verify": "check every byte of a dataset; --repair makes damaged shards again",
    "pictures": "depth maps of a dataset as pictures in colours, with a legend",
    "prepare": "prepared assets as files: prepare source.root=DIR output=OUT",
    "annotate": "depth for samples that are there: annotate OUT depth=densedepth output=OUT2",
    "convert": "move a dataset into other files: convert OUT writer=npz output=OUT2",
    "evaluate": "score a depth estimator on RGB-D pairs, or on a dataset",
    "new-plugin": "make a package for a stage of your own: new-plugin KIND NAME",
    "tune": "measure a depth estimator by batch size",
    "completion": "print the shell completion script for bash, zsh or fish",
}
"""Each is a module of this package, with _ for -, that has `main(arguments) -> exit code`."""
_INTERRUPTED = "interrupted; the same command goes on from here"


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
        # The reader of our output went away, as in `depthmask plugins | head`.
        sys.stderr.close()
        return 0


def _dispatch(words: list[str]) -> int:
    verb = words[0] if words else "run"
    if "--help" in words or "-h" in words:
        verb, words = "help", []
    elif "--version" in words:
        verb, words = "version", []
    elif verb in VERBS:
        words = words[1:]
    elif verb[:1].isalpha() and "=" not in verb:
        raise UsageError(
            f"{verb}: no such command; there are {', '.join(VERBS)}; a setting is NAME=VALUE"
        )
    else:
        verb = "run"
    for word in words:
        refuse_passwords(word)
    # Only the verb's own imports: help and plugins are there before hydra would be.
    module = importlib.import_module(f"depthmask.cli.{verb.replace('-', '_')}")
    _on_signals(_raise)
    return int(module.main(words))


def _on_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        # Who started us may have asked for deafness: a shell does for what runs in the background.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, handler)


def _quit_at_once(signum: int, frame: FrameType | None) -> None:
    # While modules are imported nothing has begun, and an exception in the middle of one may be
    # swallowed: the run would go on.
    os.write(2, f"{_INTERRUPTED}\n".encode())
    os._exit(128 + signum)


def _raise(signum: int, frame: FrameType | None) -> None:
    raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt


def _interrupted(code: int) -> int:
    # The way out is short, and a second signal would only add its traceback.
    _on_signals(_ignore)
    print(_INTERRUPTED, file=sys.stderr)
    return code


def _ignore(signum: int, frame: FrameType | None) -> None:
    pass
