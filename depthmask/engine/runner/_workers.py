"""Worker processes that make shards, one at a time, and may die without harm to the others.

A pool of `concurrent.futures` breaks when one worker dies, and does not tell which shard the worker
was making.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import multiprocessing.connection
import signal
import time
import traceback
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext

from depthmask.concurrency import keep_freed_memory
from depthmask.engine.job import Job, Progress
from depthmask.engine.runner._spawn import Parcel, Process
from depthmask.engine.runner.failures import Refusal, attempt
from depthmask.engine.runner.orphans import end_with_parent
from depthmask.errors import DepthmaskError, in_one_line
from depthmask.plan.layout import Shard
from depthmask.storage.record import Record

_END_SECONDS = 5.0
"""How long an idle worker may take to end."""


class Worker:
    """A worker process, seen from the parent: its pipe and its progress."""

    def __init__(self, job: Job) -> None:
        # Spawn the process: TensorFlow hangs in a process that is forked after its first use.
        context = multiprocessing.get_context("spawn")
        self._progress = _SharedProgress(context)
        self.pipe, far_end = context.Pipe()
        self._process = Process(
            target=_serve, args=(Parcel(job), far_end, self._progress), daemon=True
        )
        self._process.start()
        # Close this process's copy, so that the pipe ends when the worker is gone.
        far_end.close()
        self._numbering = job.plan.numbering
        self._shard: Shard | None = None
        self.is_busy = False
        """Whether it has a shard whose answer has not been received."""
        self._reported = 0
        self._last_index = -1
        self._last_progress = 0.0

    @property
    def shard(self) -> Shard:
        """The shard that the worker received last."""
        assert self._shard is not None, "give() comes first"
        return self._shard

    def give(self, shard: Shard) -> None:
        """Send a shard to make; if the worker is dead, `answer` returns None."""
        self._shard, self.is_busy = shard, True
        self._progress.at(self._numbering.index(shard.split, shard.start))
        self._last_progress = time.monotonic()
        try:
            self.pipe.send(shard)
        except OSError:
            self._process.join()

    def progress(self) -> int:
        """The number of samples made since the last call."""
        made = self._progress.count
        new, self._reported = made - self._reported, made
        if self._progress.begun != self._last_index:
            self._last_index = self._progress.begun
            self._last_progress = time.monotonic()
        return new

    def silence(self) -> float:
        """The seconds since a stage last began to work on another sample."""
        return time.monotonic() - self._last_progress

    def answer(self) -> Record | Refusal | None:
        """The answer of the worker; None if it died."""
        try:
            answer: Record | Refusal = self.pipe.recv()
        except (EOFError, OSError):
            return None
        self.is_busy = False
        return answer

    def kill(self) -> str:
        """Kill the process if it still runs; returns how it ended, as text."""
        self._process.kill()
        self._process.join()
        self.pipe.close()
        return _ending(self._process.exitcode)

    def sample(self) -> int:
        """The index of the sample on which the worker worked last."""
        return self._progress.begun

    def dismiss(self) -> None:
        """Let an idle worker end; kill it if it does not."""
        self.pipe.close()
        self._process.join(_END_SECONDS)
        self.kill()


class _SharedProgress(Progress):
    """Progress in memory that the worker shares with its parent."""

    def __init__(self, context: SpawnContext) -> None:
        self._begun = context.RawValue(ctypes.c_longlong, 0)
        self._count = context.RawValue(ctypes.c_longlong, 0)

    @property
    def begun(self) -> int:  # type: ignore[override]
        return int(self._begun.value)

    @property
    def count(self) -> int:
        """The number of samples made, over all shards."""
        return int(self._count.value)

    def at(self, index: int) -> None:
        self._begun.value = index

    def made(self, samples: int) -> None:
        self._count.value += samples


def _ending(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"the worker ended with code {exit_code}"
    return f"the worker was ended by {signal.Signals(-exit_code).name}"


def _serve(parcel: Parcel, pipe: Connection, progress: Progress) -> None:
    """Make the shards that arrive, until the pipe closes; runs in the worker."""
    # Ctrl-C and the end of a terminal reach the whole process group; the parent handles them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_with_parent()
    # There is a worker for each core.
    limit_opencv(1)
    keep_freed_memory()
    job = _opened(parcel)
    while True:
        try:
            shard = pipe.recv()
        except (EOFError, ConnectionResetError):
            # Reset: the parent has closed the pipe without reading the last answer.
            return
        pipe.send(job if isinstance(job, Refusal) else attempt(job, shard, progress))


def _opened(parcel: Parcel) -> Job | Refusal:
    """The job, or why this process cannot have it."""
    try:
        job: Job = parcel.open()
    except DepthmaskError as error:
        return Refusal(str(error), final=True, trace=traceback.format_exc())
    except Exception as error:
        reason = f"a worker cannot load its work: {in_one_line(error)}"
        return Refusal(reason, final=True, trace=traceback.format_exc())
    return job


def limit_opencv(threads: int) -> None:
    """Let OpenCV use no more than this number of threads in this process."""
    import cv2

    cv2.setNumThreads(min(threads, cv2.getNumThreads()))
