"""What has to hold when a process forks, as the workers of data loaders do on Linux.

The child gets a copy of the memory and only the thread that forked: a lock that another thread
held stays locked in it for ever, what that thread was changing stays half changed, and the threads
of a network's runtime, which it would wait for, are not there.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable
from types import TracebackType

from depthmask.errors import DepthmaskError


class Lock:
    """A lock that no other thread holds at the moment of a fork: the fork waits for it.

    in_child: a method, called in the forked process before anything else happens there.
    """

    def __init__(self, in_child: Callable[[], None] | None = None) -> None:
        # A thread may fork while it holds the lock itself.
        self._lock = threading.RLock()
        # Weak: the owner of the method owns this lock, and both go when nobody needs them.
        self._in_child = weakref.WeakMethod(in_child) if in_child else None
        with _registering:
            _locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self._lock.release()

    def taken(self) -> bool:
        """Take the lock if it is free; whether it was."""
        return self._lock.acquire(blocking=False)

    def forked(self) -> None:
        """In the child: free, and `in_child` is told."""
        self._lock.release()
        in_child = self._in_child() if self._in_child else None
        if in_child:
            in_child()


class _Networks:
    """ran: here, or in a process that this one was forked off. lost: one that this was forked off.

    A process started anew, by spawn or as a command, has none behind it.
    """

    ran = False
    lost = False


def network(name: str) -> None:
    """To be called before a network runs, or a runtime loads one: it will not go through a fork.

    Raises `DepthmaskError` in a process that was forked off one where a network had run, or
    TensorFlow: there it would wait for ever.
    """
    if _Networks.lost:
        raise DepthmaskError(
            f"{name}: this process was forked after a network had run, and in it none can; start "
            "workers by spawn (in PyTorch DataLoader(..., multiprocessing_context='spawn'))"
        )
    _Networks.ran = True


def _tensorflow_runs() -> bool:
    """Whether it has done more than to be imported, which makes its context."""
    module = sys.modules.get("tensorflow.python.eager.context")
    # Where a later version calls it otherwise, to be imported is enough.
    return module is not None and getattr(module, "_context", module) is not None


_registering = threading.Lock()
_locks: weakref.WeakSet[Lock] = weakref.WeakSet()
_held: list[Lock] = []


def _before() -> None:
    _Networks.ran = _Networks.ran or _tensorflow_runs()
    _hold_all()


def _hold_all() -> None:
    """Take all locks; wait for one only while holding no other, as its thread may want those."""
    with _registering:
        wanted = list(_locks)
    while wanted:
        busy = next((lock for lock in wanted if not _hold(lock)), None)
        if busy is None:
            return
        _in_parent()
        with busy:
            pass


def _hold(lock: Lock) -> bool:
    taken = lock.taken()
    if taken:
        _held.append(lock)
    return taken


def _in_parent() -> None:
    while _held:
        _held.pop().__exit__()


def _in_child() -> None:
    _Networks.lost = _Networks.ran
    while _held:
        _held.pop().forked()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
