"""Worker processes that may die: each makes one shard at a time, and is replaced when it is gone.

A pool of `concurrent.futures` breaks as a whole when one worker dies, and does not say which shard
it was at.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from ctypes import c_longlong
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from depthmask.errors import DepthmaskError
from depthmask.output.record import Record
from depthmask.pipeline import Generate, make_shard
from depthmask.plan import Shard


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a worker sends instead of a record. final: trying again would give the same."""

    reason: str
    final: bool


class Worker:
    """One spawned process, its pipe, and the counter of the samples that it has made."""

    def __init__(self, job: Generate) -> None:
        # Spawned, never forked: a fork after a TensorFlow op hangs.
        context = multiprocessing.get_context("spawn")
        self._made = context.RawValue(c_longlong, 0)
        self.pipe, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(job, there, self._made), daemon=True)
        self._process.start()
        # Ours has to be closed, or the pipe would not tell that the worker is gone.
        there.close()
        self._shard: Shard | None = None
        self._before = 0
        self._reported = 0
        self._last_sign = 0.0

    @property
    def shard(self) -> Shard:
        """The shard that it was given last."""
        assert self._shard is not None, "give() comes first"
        return self._shard

    def give(self, shard: Shard) -> None:
        """Hand it a shard to make; if it is dead, `answer` will tell."""
        self._shard = shard
        self._before = self._made.value
        self._last_sign = time.monotonic()
        try:
            self.pipe.send(shard)
        except OSError:
            self._process.join()

    def progress(self) -> int:
        """Samples made since the last call."""
        made = self._made.value
        new, self._reported = made - self._reported, made
        if new:
            self._last_sign = time.monotonic()
        return new

    def silence(self) -> float:
        """Seconds since it last made a sample."""
        return time.monotonic() - self._last_sign

    def answer(self) -> Record | Refusal | None:
        """What it sent; None if it died instead."""
        try:
            answer: Record | Refusal = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return answer

    def kill(self) -> str:
        """End the process if it still runs; returns how it ended and at which sample."""
        self._process.kill()
        self._process.join()
        self.pipe.close()
        sample = min(self.shard.start + self._made.value - self._before, self.shard.stop - 1)
        return f"{_ending(self._process.exitcode)} at sample {sample}"

    def dismiss(self) -> None:
        """Let an idle worker end by itself."""
        self.pipe.close()
        self._process.join()


def _ending(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"the worker ended with code {exit_code}"
    return f"the worker was ended by {signal.Signals(-exit_code).name}"


def _serve(job: Generate, pipe: Connection, made: Any) -> None:
    """In the worker: make the shards that come, until the pipe closes."""
    # Ctrl-C reaches the whole process group; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def count(samples: int) -> None:
        made.value += samples

    while True:
        try:
            shard = pipe.recv()
        except EOFError:
            return
        pipe.send(_answer(job, shard, count))


def _answer(job: Generate, shard: Shard, count: Any) -> Record | Refusal:
    try:
        return make_shard(job, shard, count)
    except DepthmaskError as error:
        return Refusal(str(error), final=error.final)


def _end_with_parent() -> None:
    """A worker whose parent was killed must not stay behind in the middle of a shard."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
