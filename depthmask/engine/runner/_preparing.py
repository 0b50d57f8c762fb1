"""Prepares assets for the asset store on all cores, before the shards are made.

This process prepares assets, too, and starts others only if much is left. Each takes the next asset
from a shared count, so that none waits for another.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess

from depthmask.concurrency import keep_freed_memory, running
from depthmask.engine.job import Asset, Job
from depthmask.engine.runner._spawn import Parcel, Process
from depthmask.engine.runner._workers import limit_opencv
from depthmask.engine.runner.orphans import end_with_parent

_LEAST_S = 2.0
"""The estimated seconds of work from which on other processes pay: each takes one to start."""
_MEASURED_S = 0.1
"""How long this process measures the work first."""
_POLL_S = 0.1


def prepare(
    job: Job, assets: Sequence[Asset], advance: Callable[[int], None], helpers: int
) -> None:
    """Prepare the assets in this process and in up to `helpers` others.

    advance: called with the number of assets prepared since the last call. An asset that cannot be
    prepared is left to the sample that needs it, which names it in the error.
    """
    work = _Work(multiprocessing.get_context("spawn"), len(assets))
    processes: list[BaseProcess] = []
    start, counted = time.monotonic(), 0
    with ExitStack() as ending:
        for number in work.numbers():
            _prepare(job, assets[number], work)
            counted += _count(work, counted, advance)
            elapsed = time.monotonic() - start
            if helpers and elapsed > _MEASURED_S and not processes:
                left = len(assets) - counted
                if elapsed / counted * left < _LEAST_S:
                    helpers = 0
                processes = [_helper(job, assets, work) for _ in range(min(helpers, left))]
                for process in processes:
                    ending.enter_context(running(process))
        while any(process.is_alive() for process in processes):
            processes[0].join(_POLL_S)
            processes = [process for process in processes if process.is_alive()]
            counted += _count(work, counted, advance)


class _Work:
    """The counts that the processes share."""

    def __init__(self, context: SpawnContext, total: int) -> None:
        self._total = total
        self._taken = context.Value(ctypes.c_longlong, 0)
        self._done = context.Value(ctypes.c_longlong, 0)

    def numbers(self) -> Iterator[int]:
        """Yield numbers of assets that no other process has taken."""
        while True:
            with self._taken.get_lock():
                number = self._taken.value
                self._taken.value = number + 1
            if number >= self._total:
                return
            yield number

    def add(self) -> None:
        """Count an asset as prepared."""
        with self._done.get_lock():
            self._done.value += 1

    @property
    def done(self) -> int:
        """The number of assets that are prepared."""
        return self._done.value


def _prepare(job: Job, asset: Asset, work: _Work) -> None:
    with suppress(Exception):
        job.prepare(asset)
    work.add()


def _count(work: _Work, counted: int, advance: Callable[[int], None]) -> int:
    new = work.done - counted
    advance(new)
    return new


def _helper(job: Job, assets: Sequence[Asset], work: _Work) -> BaseProcess:
    return Process(target=_help, args=(Parcel((job, assets)), work), daemon=True)


def _help(parcel: Parcel, work: _Work) -> None:
    """Prepare assets until none is left; runs in another process."""
    # As in a worker: the parent handles signals of the group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_with_parent()
    limit_opencv(1)
    keep_freed_memory()
    with suppress(Exception):
        job, assets = parcel.open()
        for number in work.numbers():
            _prepare(job, assets[number], work)
