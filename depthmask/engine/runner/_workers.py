"""Worker processes that may die: each makes one shard at a time, and is replaced when it is gone.

A pool of `concurrent.futures` breaks as a whole when one worker dies, and does not say which shard
it was at.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext

from depthmask.engine.job import Job, Progress
from depthmask.engine.runner.failures import Refusal, attempt
from depthmask.plan.layout import Shard
from depthmask.storage.record import Record

_PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""


class Worker:
    """One spawned process, its pipe, and the counter of the samples that it has made."""

    def __init__(self, job: Job) -> None:
        # Spawned, never forked: a fork after a TensorFlow op hangs.
        context = multiprocessing.get_context("spawn")
        self._progress = _Shared(context)
        self.pipe, far_end = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(job, far_end, self._progress), daemon=True
        )
        with _interrupts_held():
            self._process.start()
        # This copy has to be closed, or the pipe would not tell that the worker is gone.
        far_end.close()
        self._numbering = job.plan.numbering
        self._shard: Shard | None = None
        self._reported = 0
        self._seen = -1
        self._last_sign = 0.0

    @property
    def shard(self) -> Shard:
        """The shard that it was given last."""
        assert self._shard is not None, "give() comes first"
        return self._shard

    def give(self, shard: Shard) -> None:
        """Hand it a shard to make; if it is dead, `answer` will tell."""
        self._shard = shard
        self._progress.at(self._numbering.index(shard.split, shard.start))
        self._last_sign = time.monotonic()
        try:
            self.pipe.send(shard)
        except OSError:
            self._process.join()

    def progress(self) -> int:
        """Samples made since the last call."""
        made = self._progress.count
        new, self._reported = made - self._reported, made
        if self._progress.begun != self._seen:
            self._seen = self._progress.begun
            self._last_sign = time.monotonic()
        return new

    def silence(self) -> float:
        """Seconds since a stage last began to work at another sample."""
        return time.monotonic() - self._last_sign

    def answer(self) -> Record | Refusal | None:
        """What it sent; None if it died instead."""
        try:
            answer: Record | Refusal = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return answer

    def kill(self) -> str:
        """End the process if it still runs; returns how it ended."""
        self._process.kill()
        self._process.join()
        self.pipe.close()
        return _ending(self._process.exitcode)

    def sample(self) -> int:
        """The number of the sample that it was making last."""
        return self._progress.begun

    def dismiss(self) -> None:
        """Let an idle worker end by itself."""
        self.pipe.close()
        self._process.join()


class _Shared(Progress):
    """Progress in memory that both processes see."""

    def __init__(self, context: SpawnContext) -> None:
        self._begun = context.RawValue(ctypes.c_longlong, 0)
        self._count = context.RawValue(ctypes.c_longlong, 0)

    @property
    def begun(self) -> int:  # type: ignore[override]
        return int(self._begun.value)

    @property
    def count(self) -> int:
        """Samples made, of all shards."""
        return int(self._count.value)

    def at(self, index: int) -> None:
        self._begun.value = index

    def made(self, samples: int) -> None:
        self._count.value += samples


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C from a process that starts: it inherits this, until it can ignore the signal.

    It reaches the whole process group, and a Python that is starting answers with a traceback.
    """
    # Once and before: its start takes the signals off hold.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ending(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"the worker ended with code {exit_code}"
    return f"the worker was ended by {signal.Signals(-exit_code).name}"


def _serve(job: Job, pipe: Connection, progress: Progress) -> None:
    """In the worker: make the shards that come, until the pipe closes."""
    # Ctrl-C reaches the whole process group; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    _keep_to_one_core()
    while True:
        try:
            shard = pipe.recv()
        except EOFError:
            return
        pipe.send(attempt(job, shard, progress))


def _keep_to_one_core() -> None:
    """There is a worker for each core: OpenCV's threads would only wait for them, busily."""
    import cv2

    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    """A worker whose parent was killed must not stay behind in the middle of a shard.

    The next run has the lock at once, and may make another dataset in the same folder.
    """
    if sys.platform == "linux":
        # At once, even if the worker is stopped or stuck in a library; but for the main thread
        # of the parent only, and not if it was dead before.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
