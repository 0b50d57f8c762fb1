"""The errors that users see. Each message is one line: what failed, where, and what to do."""

from __future__ import annotations

import errno
import os
import textwrap
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The numbers of the system's errors for a disk, a quota or a file that takes no more."""
_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.ENAMETOOLONG)
"""Those that say what is at a path: nothing, or no file."""
_DRIVE = "the disk or the network drive failed; check it, and run the same command again"
_RIGHTS = "its owner must give this user the right to it"
_WAYS_ON = {
    errno.EMFILE: "this process may open no more; allow more with `ulimit -n 4096`",
    errno.ENFILE: "the machine may open no more; end other programs, or raise fs.file-max",
    **dict.fromkeys((errno.EACCES, errno.EPERM), _RIGHTS),
    errno.EROFS: "choose another folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ESTALE: "the server of the network drive lost it; run the same command again",
    errno.EDQUOT: "delete files of this user, or ask for a larger quota",
    errno.EFBIG: "allow larger files with `ulimit -f`, or choose a smaller shard_size",
    **dict.fromkeys((errno.EIO, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN), _DRIVE),
    errno.ELOOP: (
        "links in a dataset are not followed; copy the folder with `cp -rL`, or, from the Hugging "
        "Face Hub, download it with local_dir=FOLDER"
    ),
}
"""The number of an error of the system -> what to do."""
_LONGEST_REASON = 200
TRACEBACK = "DEPTHMASK_TRACEBACK"
"""With this environment variable set to 1, the command line shows the tracebacks of errors."""


MOST_LISTED = 20
"""So many files, settings or shards stand in a message that is about several."""


class DepthmaskError(Exception):
    """The run cannot go on; the message is one line for the user.

    A message about several things names the first in that line, and the others below it (see
    `others_below`).
    """

    exit_code = 1
    final = True
    """Whether a retry would fail in the same way."""


class MachineError(DepthmaskError):
    """The system does not let a file be read or written, which says nothing about its content.

    Such a file is neither damaged nor missing, so that nobody may make or delete it for that.
    """


class ShardError(DepthmaskError):
    """A stage failed in one shard; the other shards can still be made unless it is `final`.

    cause: the message without shard and sample, which tells whether two errors are the same.
    """

    def __init__(self, text: str, *, cause: str = "", final: bool = False) -> None:
        super().__init__(text)
        self.cause = cause
        self.final = final


class NoPlaceError(DepthmaskError):
    """The placement found no position for a foreground; the sample may be drawn again.

    reason: what is wrong, without the names of assets, and after `; ` which setting helps: a run
    counts its redraws by it; the message if it is empty. foreground: the key of the foreground at
    fault, None if it is the background's or nobody's.
    """

    def __init__(self, text: str, *, reason: str = "", foreground: str | None = None) -> None:
        super().__init__(text)
        reason = " ".join((reason or text).split())
        # Most fit, and `shorten` takes 60 us: samples without a place draw again.
        fits = len(reason) <= _LONGEST_REASON
        self.reason = reason if fits else textwrap.shorten(reason, _LONGEST_REASON)
        self.foreground = foreground


class UsageError(DepthmaskError):
    """The command, the config or the input folder is wrong; no work was started."""

    exit_code = 2


class SettingError(UsageError):
    """A setting of a stage has a value outside its range.

    The stage gives only the name of the setting. The code that creates the stage adds the config
    group in front (see `group_before_setting_errors`).
    """

    def __init__(self, name: str, value: object, expected: str) -> None:
        text = f"{value:g}" if isinstance(value, float) else str(value)
        text = "null" if value is None else text
        super().__init__(f"{name}={text}: {expected}")
        self.name = name
        self.value = value
        self.expected = expected


@contextmanager
def group_before_setting_errors(group: str) -> Iterator[None]:
    """Add the config group to the name of the setting in any `SettingError` of the block."""
    try:
        yield
    except SettingError as error:
        raise SettingError(f"{group}.{error.name}", error.value, error.expected) from None


def machine_error(where: object, error: OSError) -> MachineError:
    """The error for what the system refuses: the path, the reason, and what to do."""
    reason = "is a link" if error.errno == errno.ELOOP else error.strerror or str(error)
    return MachineError(f"{where}: {reason}{way_on(error)}")


def refuse_machine_errors(where: object, error: BaseException) -> None:
    """Raise `MachineError` for an error of the system that does not mean a missing or bad file."""
    if isinstance(error, OSError) and error.errno is not None and error.errno not in _NO_FILE:
        raise machine_error(where, error) from error


def way_on(error: BaseException) -> str:
    """What to do about an error of the system, as the end of a message; "" if that is unknown."""
    text = _WAYS_ON.get(error.errno or 0) if isinstance(error, OSError) else None
    return f"; {text}" if text else ""


def causes_of(error: BaseException, *, contexts: bool = False) -> Iterator[BaseException]:
    """Yield an error and its causes, each once: under a debugger OmegaConf ties them into a circle.

    contexts: an error without a cause is followed by the one that was being handled.
    """
    seen: set[int] = set()
    behind: BaseException | None = error
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        yield behind
        behind = behind.__cause__ or (behind.__context__ if contexts else None)


def for_caller(error: DepthmaskError) -> DepthmaskError:
    """The error without the frames and causes inside of depthmask, to be raised to a user's code.

    A notebook shows its message instead of pages of a traceback. With `DEPTHMASK_TRACEBACK=1` the
    error stays as it is.
    """
    if os.environ.get(TRACEBACK) != "1":
        error.__cause__ = None
        error.__suppress_context__ = True
        error.__traceback__ = None
    return error


def others_below(others: Sequence[object], rest: str) -> str:
    """The end of a message about several things: all but the first, on lines of their own.

    others: without the first, which the message names. rest: where to find those for which there
    is no room.
    """
    if not others:
        return ""
    hidden = len(others) + 1 - MOST_LISTED
    lines = [str(one) for one in others[: MOST_LISTED - 1]]
    lines += [f"and {hidden:,} more: {rest}"] if hidden > 0 else []
    return "".join([f"; {len(others):,} more:", *(f"\n  {line}" for line in lines)])


_COME_AGAIN = (
    *(ImportError, TypeError, AttributeError, NameError, SyntaxError, NotImplementedError),
    *(
        SystemExit,
        KeyboardInterrupt,
        FileNotFoundError,
        NotADirectoryError,
        IsADirectoryError,
        PermissionError,
    ),
)
"""Errors of the code or of the machine, not of one sample."""


def comes_again(error: BaseException) -> bool:
    """Whether a retry, or another sample, is sure to raise this error of a stage as well."""
    return isinstance(error, _COME_AGAIN)


def in_one_line(error: BaseException, source: str = "") -> str:
    """The message of an unexpected error, with the function, file and line that raised it.

    source: a folder or file; its innermost frame is named rather than one of a library.
    """
    frames = traceback.extract_tb(error.__traceback__)
    text = textwrap.shorten(f"{type(error).__name__}: {error}", 500).rstrip(": ")
    own = [frame for frame in frames if source and _is_in(frame.filename, source)]
    if not frames:
        return f"{text}{way_on(error)}"
    frame = (own or frames)[-1]
    return f"{text} (in {frame.name}, {Path(frame.filename).name}:{frame.lineno}){way_on(error)}"


def _is_in(file: str, source: str) -> bool:
    return file == source or file.startswith(source + os.sep)
