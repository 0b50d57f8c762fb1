"""Keeps a run that has lost the lock of its dataset from writing there, in each of its processes.

A run may be suspended for longer than other runs wait for it, or somebody may delete its lock or
its folder. Another run then takes its place, while it wakes and would go on. So whatever writes
into a dataset first reads the lock, which has a token of its holder.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from depthmask.errors import DepthmaskError
from depthmask.storage.path import StorePath

_MOST_BYTES = 1 << 16
"""The most bytes of a lock."""

_FENCES: dict[str, Fence] = {}
"""The dataset -> the lock of the run that this process is, or works for."""


class LockLostError(DepthmaskError):
    """The run has not the lock of its dataset any more."""


@dataclass(eq=False)
class Fence:
    """Tells whether a run still holds the lock of its dataset; pickled, in its workers, too.

    lock: the file, as an absolute path. token: what the lock has in it while this run holds it.
    is_conditional: whether the store has conditional puts; folders have none.
    """

    lock: StorePath
    token: str
    is_conditional: bool = False
    _read_at: float | None = field(default=None, init=False)

    def __reduce__(self) -> tuple[type[Fence], tuple[StorePath, str, bool]]:
        """Without the time of the last answer, as another machine has another clock."""
        return Fence, (self.lock, self.token, self.is_conditional)

    def require(self, at_most_s: float = 0.0) -> None:
        """Raise `LockLostError` if the run has lost the lock.

        at_most_s: the age of an earlier answer that is good enough.
        """
        begun = _seconds_since_boot()
        if self._read_at is not None and begun - self._read_at < at_most_s:
            return
        if self.token.encode() not in self._content():
            raise LockLostError(
                f"output={self.lock.parent}: the lock of this run is gone, as after a suspension "
                "of the machine, so another run may be at work there; this one ends and changes "
                "nothing more. Run the same command again once the other has ended"
            )
        self._read_at = begun

    def _content(self) -> bytes:
        try:
            return self.lock.read_whole(_MOST_BYTES)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return b""


@contextmanager
def holding(fence: Fence) -> Iterator[None]:
    """Have this process write into the dataset only while its lock is held.

    Once it is lost, every error of the block becomes `LockLostError`: it may come from what another
    run has made, or that the folder is gone.
    """
    key = str(fence.lock.parent)
    before = _FENCES.get(key)
    _FENCES[key] = fence
    try:
        yield
    except Exception as error:
        if not isinstance(error, LockLostError) and (lost := lock_lost(fence.lock)):
            raise lost from error
        raise
    finally:
        if before is None:
            _FENCES.pop(key, None)
        else:
            _FENCES[key] = before


def adopt(fence: Fence | None) -> None:
    """Have this process, a worker of the run, write into the dataset only while that holds."""
    if fence is not None:
        _FENCES[str(fence.lock.parent)] = fence


def give_up(folder: StorePath) -> None:
    """Write into the dataset without its lock from here on: this process is about to remove it.

    Raises `LockLostError` if the run has lost it already.
    """
    require_lock(folder)
    _FENCES.pop(str(folder.absolute()), None)


def fence_of(path: StorePath) -> Fence | None:
    """The lock of the run by which this process writes to a path; None if it needs none."""
    folder = str(path.absolute()) if _FENCES else ""
    while folder:
        if folder in _FENCES:
            return _FENCES[folder]
        folder = folder.rpartition("/")[0]
    return None


def require_lock(path: StorePath) -> None:
    """Raise `LockLostError` if this process works for a run that has lost the lock of the path."""
    if fence := fence_of(path):
        fence.require()


def lock_lost(path: StorePath) -> LockLostError | None:
    """The error for a lost lock of the path; None if this process need not hold it, or does.

    None also where nothing tells: the caller has another error to raise.
    """
    try:
        require_lock(path)
    except LockLostError as error:
        return error
    except (DepthmaskError, OSError):
        pass
    return None


def _seconds_since_boot() -> float:
    """The time, suspensions of the machine included, which `time.monotonic` leaves out on Linux."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
