"""The processors and the memory that a process may use, and work in threads and processes."""

from __future__ import annotations

import os
import platform
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from pathlib import Path, PurePosixPath
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

T = TypeVar("T")
R = TypeVar("R")

_STATED = ("PYTHON_CPU_COUNT", "LOKY_MAX_CPU_COUNT")
"""Variables that state a number of processors: of Python from 3.13 on, and of joblib."""

_UNKNOWN = (OSError, ValueError, ZeroDivisionError)

_FREED_BYTES = 128 << 20
"""Freed memory that a process keeps: more than the arrays of a sample of 1024x1024."""
_HEAP_BYTES = 32 << 20
"""Larger arrays have a mapping of their own: the most that glibc accepts."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""The numbers of these settings of glibc's `mallopt`."""


def cores(root: Path = Path("/")) -> int:
    """The number of processors that this process may use; in a container often fewer than exist.

    It is the least of the affinity, the CPU quotas of its cgroups, rounded up, and what `_STATED`
    says. root: the folder with `proc` and `sys`.
    """
    stated = [int(text) for name in _STATED if (text := os.environ.get(name, "")).isdecimal()]
    return max(1, min([processors(), *_quotas(root), *stated]))


def processors() -> int:
    """The number of processors on which this process may run, however little of their time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory(root: Path = Path("/")) -> int:
    """The bytes of memory that this process may use: those of the machine, or of its cgroups.

    root: the folder with `proc` and `sys`.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_memory_limits(root)])


def _memory_limits(root: Path) -> Iterator[int]:
    """Yield the limits of the cgroups of this process, in bytes."""
    for folder in _cgroups(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            # It says "max" where there is no limit.
            with suppress(*_UNKNOWN):
                yield int((folder / name).read_text("ascii"))


def _quotas(root: Path) -> Iterator[int]:
    """Yield the CPU quotas of the cgroups of this process, in whole processors."""
    for folder in _cgroups(root, "cpu"):
        # Most folders have only one of these files, or none.
        with suppress(*_UNKNOWN):
            quota, period = (folder / "cpu.max").read_text("ascii").split()
            yield -(-int(quota) // int(period))
        with suppress(*_UNKNOWN):
            quota, period = (
                (folder / f"cpu.cfs_{name}_us").read_text("ascii") for name in ("quota", "period")
            )
            if int(quota) > 0:
                yield -(-int(quota) // int(period))


def _cgroups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of the cgroups of this process and of those around them.

    A container may see its cgroup as the top one, while `proc` names it as the host does.
    """
    mounts = root / "sys/fs/cgroup"
    for controllers, path in _memberships(root):
        if not controllers:
            tops = [mounts, mounts / "unified"]
        elif controller in controllers.split(","):
            tops = [mounts / controllers, mounts / controller]
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        yield from (top / one for top in tops for one in (inner, *inner.parents))


def _memberships(root: Path) -> list[tuple[str, str]]:
    """The (controllers, path) of each cgroup of this process; of version 2 without controllers."""
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    fields = (line.split(":", 2) for line in lines)
    return [(one[1], one[2]) for one in fields if len(one) == 3]


def keep_freed_memory() -> None:
    """Keep the memory of freed arrays for the next ones, where the C library is glibc.

    It gives arrays of some 100 kB back to the system, which clears each of their pages when they
    are made again: a tenth of the time of a room, and of scenes of 480x640.
    """
    import ctypes

    # Neither other C libraries have it, nor other systems.
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _FREED_BYTES)
        mallopt(_MMAP_THRESHOLD, _HEAP_BYTES)


def machine_info() -> str:
    """The Python version, operating system and processor, for the log."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block, so that each process started inside is known.

    The signal is blocked in such a process until it can ignore it: it reaches the whole process
    group, and a Python process that is just starting would print a traceback.
    """
    # Imported here, since only a few commands start processes.
    from multiprocessing import resource_tracker

    # Start the tracker before, since its start unblocks the signal.
    resource_tracker.ensure_running()
    with _interrupt_deferred():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _interrupt_deferred() -> Iterator[None]:
    """Call the handler of Ctrl-C after the block, for another thread may receive the signal."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        # Ctrl-C is ignored, or it interrupts another thread.
        yield
        return
    received: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda *arguments: received.append(arguments))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received:
            handler(*received[0])


@contextmanager
def running(process: BaseProcess) -> Iterator[None]:
    """Start the process; it is killed at the end of the block, if it still runs."""
    try:
        with interrupts_blocked():
            process.start()
        yield
    finally:
        if process.pid is not None:
            process.kill()
            process.join()


def prefetch(
    work: Callable[[T], R], items: Iterable[T], *, in_thread: bool
) -> Iterator[tuple[T, Callable[[], R]]]:
    """Yield each item with a function that returns the result of `work(item)`, or raises its error.

    in_thread: a thread does the work while `items` makes the next item and the caller uses the
    previous one. It is at most one item ahead, so memory is bounded. Without a thread the returned
    function does the work: a thread for each item pays only for a network.
    """
    if not in_thread:
        for item in items:
            yield item, partial(work, item)
        return
    with ThreadPoolExecutor(1, "prefetch") as thread:
        previous: tuple[T, Callable[[], R]] | None = None
        for item in items:
            current = item, thread.submit(copy_context().run, work, item).result
            if previous is not None:
                yield previous
            previous = current
        if previous is not None:
            yield previous


def parallel_map(
    count: int, work: Callable[[T], R], items: Iterable[T]
) -> Generator[R, None, None]:
    """`map` in `count` threads, with results in order; at most 4 items a thread are queued.

    One thread is that of the caller.
    """
    if count == 1:
        yield from map(work, items)
        return
    threads = ThreadPoolExecutor(count)
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            pending.append(threads.submit(copy_context().run, work, item))
            if len(pending) > 4 * count:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        # After Ctrl-C, drop the queued items instead of waiting for them.
        threads.shutdown(wait=False, cancel_futures=True)
