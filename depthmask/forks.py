"""Keeps locks, networks and scripts safe in other processes: forked ones and spawned workers.

Data loaders on Linux fork their workers. The child has a copy of the memory, but only one thread:
the one that forked. A lock that another thread held stays locked for ever, data that it was
changing stays half changed, and a network would wait for the threads of its runtime, which do not
exist in the child.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from depthmask.errors import DepthmaskError, UsageError


class Lock:
    """A lock that no other thread holds during a fork: the fork waits until it is free.

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
        """Take the lock if it is free; returns whether it was taken."""
        return self._lock.acquire(blocking=False)

    def release_in_child(self) -> None:
        """Release the lock in the child, and call `in_child`."""
        self._lock.release()
        in_child = self._in_child() if self._in_child else None
        if in_child:
            in_child()


class _Networks:
    """What is known about networks in this process.

    ran: a network has run here, or before a fork that led to this process. lost: one ran before the
    fork, so that no network can run here. Both are False in a process that was not forked.
    """

    ran = False
    lost = False


def network(name: str) -> None:
    """Record that a network is about to be loaded or to run; call it before either.

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
    """Whether TensorFlow has been used, not only imported: its context exists from then on."""
    module = sys.modules.get("tensorflow.python.eager.context")
    # A version without this attribute counts as running once it is imported.
    return module is not None and getattr(module, "_context", module) is not None


_registering = threading.Lock()
_locks: weakref.WeakSet[Lock] = weakref.WeakSet()
_held: list[Lock] = []


def _before_fork() -> None:
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
        _release_in_parent()
        with busy:
            pass


def _hold(lock: Lock) -> bool:
    is_held = lock.try_acquire()
    if is_held:
        _held.append(lock)
    return is_held


def _release_in_parent() -> None:
    while _held:
        _held.pop().__exit__()


def _release_in_child() -> None:
    _Networks.lost = _Networks.ran
    while _held:
        _held.pop().release_in_child()


os.register_at_fork(
    before=_before_fork, after_in_parent=_release_in_parent, after_in_child=_release_in_child
)


class _Import:
    """Whether this process, a worker, imports the main module of the program that started it."""

    goes_on = False
    has_refused = False


@contextmanager
def runs_refused() -> Iterator[None]:
    """Inside the block, which imports a script, refuse runs; raise for a refused one at the end."""
    _Import.goes_on, _Import.has_refused = True, False
    try:
        yield
    except (Exception, SystemExit):
        # A script may turn the error of a refused run into another, or into an exit code.
        if _Import.has_refused:
            raise _refusal() from None
        raise
    finally:
        _Import.goes_on = False


def refuse_worker_import() -> None:
    """Raise `UsageError` in a spawned worker that has come here while it imports a script."""
    processes = sys.modules.get("multiprocessing.process")
    inherits = processes and getattr(processes.current_process(), "_inheriting", False)
    if inherits or _Import.goes_on:
        _Import.has_refused = True
        raise _refusal()


def _refusal() -> UsageError:
    return UsageError(
        "the script starts a run while a worker imports it; write the run below "
        '`if __name__ == "__main__":`'
    )
