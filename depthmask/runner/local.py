"""The local runner: this machine's cores."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from depthmask.depth.base import Estimator
from depthmask.errors import DepthmaskError
from depthmask.machine import cores
from depthmask.output.record import Record
from depthmask.pipeline import Generate, make_shard
from depthmask.plan import Shard
from depthmask.runner.base import Runner
from depthmask.stage import setting, stage

POLL_SECONDS = 0.1
"""How often the progress of the workers is looked at."""


@stage("local")
class Local(Runner):
    """Worker processes on this machine; one worker means this very process.

    Workers are spawned, never forked: a fork after a TensorFlow op hangs.
    """

    workers: int = setting(
        0, ge=0, help="processes; 0: one for each core, or 1 if a network makes the depth"
    )

    def run(
        self, job: Generate, shards: Sequence[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        """Make the shards, in order in one process, as they come in several."""
        workers = min(self._wanted(job), len(shards))
        if workers <= 1:
            return (make_shard(job, shard, made) for shard in shards)
        return _in_processes(job, shards, made, workers)

    def _wanted(self, job: Generate) -> int:
        if self.workers:
            return self.workers
        # N workers would load N models, and one model uses all cores.
        if isinstance(job.root.depth, Estimator):
            return 1
        return cores()


def _in_processes(
    job: Generate, shards: Sequence[Shard], made: Callable[[int], None], workers: int
) -> Iterator[Record]:
    context = multiprocessing.get_context("spawn")
    counter = context.Value("Q", 0)
    executor = ProcessPoolExecutor(workers, context, _begin, (job, counter))
    reported = 0
    # Two shards for each worker are under way or waiting; a plan may have millions.
    waiting = iter(shards)
    running = {executor.submit(_make, shard) for shard in islice(waiting, 2 * workers)}
    try:
        while running:
            done, running = wait(running, POLL_SECONDS, FIRST_COMPLETED)
            now = counter.value
            made(now - reported)
            reported = now
            for future in done:
                running |= {executor.submit(_make, shard) for shard in islice(waiting, 1)}
                yield _record(future)
    except BaseException:
        _kill(executor)
        raise
    executor.shutdown()


def _record(future: Future[Record]) -> Record:
    try:
        return future.result()
    except BrokenProcessPool:
        raise DepthmaskError(
            "a worker process died (killed, or out of memory); "
            "what is published stays, run the same command again to go on"
        ) from None


def _kill(executor: ProcessPoolExecutor) -> None:
    """Stop the workers now: what they have not published is made again next time."""
    # `terminate_workers` of Python 3.14, by the same private attribute.
    processes = list((executor._processes or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()


_worker: tuple[Generate, Any]
"""In a worker process: its job, and the counter of samples made by all workers."""


def _begin(job: Generate, counter: Any) -> None:
    global _worker
    _worker = (job, counter)
    # Ctrl-C reaches the whole process group; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next shard for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _make(shard: Shard) -> Record:
    job, counter = _worker

    def made(count: int) -> None:
        with counter.get_lock():
            counter.value += count

    return make_shard(job, shard, made)
