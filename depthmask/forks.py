"""Keeps locks and networks safe when a process forks, as the workers of data loaders do on Linux.

The child gets a copy of the memory but only the thread that forked. A lock that another thread held
stays locked for ever, data that it was changing stays half changed, and the threads of a network's
runtime, for which the child would wait, do not exist.
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
    """A lock that no other thread holds at the moment of a fork, which waits for it.

    in_child: a method to call in the child before any other code runs there.
    """

    def __init__(self, in_child: Callable[[], None] | None = None) -> None:
        # A thread may fork while it holds the lock itself.
        self._lock = threading.RLock()
        # A weak reference, since the owner of the method owns this lock.
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

    def try_acquire(self) -> bool:
        """Take the lock if it is free; returns whether it was."""
        return self._lock.acquire(blocking=False)

    def forked(self) -> None:
        """Release the lock in the child, and call `in_child`."""
        self._lock.release()
        in_child = self._in_child() if self._in_child else None
        if in_child:
            in_child()


class _Networks:
    """Whether networks have run before.

    ran: in this process or one it was forked from. lost: in one it was forked from, so that none
    can run here. Both are False in a process started by spawn or as a command.
    """

    ran = False
    lost = False


def network(name: str) -> None:
    """Note that a network is about to run or to be loaded; call it before either.

    Raises `DepthmaskError` in a process forked from one where a network or TensorFlow had run,
    where the network would wait for ever.
    """
    if _Networks.lost:
        raise DepthmaskError(
            f"{name}: this process was forked after a network had run, so no network can run in "
            "it; start workers by spawn (in PyTorch "
            "DataLoader(..., multiprocessing_context='spawn'))"
        )
    _Networks.ran = True


def _tensorflow_runs() -> bool:
    """Whether TensorFlow has been used, which creates its context, and not only imported."""
    module = sys.modules.get("tensorflow.python.eager.context")
    # A version without this attribute counts as running once it is imported.
    return module is not None and getattr(module, "_context", module) is not None


_registering = threading.Lock()
_locks: weakref.WeakSet[Lock] = weakref.WeakSet()
_held: list[Lock] = []


def _before() -> None:
    _Networks.ran = _Networks.ran or _tensorflow_runs()
    _hold_all()


def _hold_all() -> None:
    """Take all locks; waits for a lock only while holding no other, which could deadlock."""
    with _registering:
        locks = list(_locks)
    while locks:
        busy = next((lock for lock in locks if not _hold(lock)), None)
        if busy is None:
            return
        _in_parent()
        with busy:
            pass


def _hold(lock: Lock) -> bool:
    is_held = lock.try_acquire()
    if is_held:
        _held.append(lock)
    return is_held


def _in_parent() -> None:
    while _held:
        _held.pop().__exit__()


def _in_child() -> None:
    _Networks.lost = _Networks.ran
    while _held:
        _held.pop().forked()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
