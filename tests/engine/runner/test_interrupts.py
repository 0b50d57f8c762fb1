"""Ctrl-C at any moment of a run leaves no worker behind."""

from __future__ import annotations

import itertools
import linecache
import multiprocessing.connection
import signal
import sys
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from depthmask.engine.runner import local
from depthmask.storage.record import Record

ALIVE: set[Worker] = set()


class Worker:
    """Stands for a worker: its answer is there at once, and each second one has died."""

    def __init__(self, job: object) -> None:
        self.is_busy = False
        self.pipe = self
        self._answers = 0
        ALIVE.add(self)

    def give(self, shard: object) -> None:
        self.shard, self.is_busy = shard, True

    def answer(self) -> object:
        self._answers += 1
        if self._answers == 2:
            return None
        self.is_busy = False
        return Record.__new__(Record)

    def progress(self) -> int:
        return 1

    def silence(self) -> float:
        return 0.0

    def sample(self) -> int:
        return 0

    def kill(self) -> str:
        ALIVE.discard(self)
        return "it was killed"

    def dismiss(self) -> None:
        assert not self.is_busy, "it would be waited for"
        ALIVE.discard(self)


def test_an_interrupt_at_any_line_leaves_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests leave the handlers of commands.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(local, "Worker", Worker)
    monkeypatch.setattr(multiprocessing.connection, "wait", lambda pipes, _: pipes)
    interrupted = 0
    try:
        while _is_interrupted_at(interrupted + 1, tmp_path):
            interrupted += 1
            assert not ALIVE, f"after an interrupt at line {interrupted} of the run"
    finally:
        signal.signal(signal.SIGINT, before)
    assert interrupted > 50


def _is_interrupted_at(line: int, folder: Path) -> bool:
    """Send SIGINT at this line of those that a run executes; False if it has fewer."""
    job: Any = SimpleNamespace(output=folder, named=str)
    shards: Any = [SimpleNamespace(name=f"train-{number}") for number in range(4)]
    pool = local._Pool(job, shards, workers=2, timeout=1.0)
    lines = itertools.count(1)

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if not isinstance(frame.f_locals.get("self"), local._Pool | Worker):
            return None
        if event == "line" and not _defers(frame) and next(lines) == line:
            signal.raise_signal(signal.SIGINT)
            # Before Python 3.12 its handler runs at the next call.
            return _no_trace()
        return trace

    before = sys.gettrace()
    try:
        sys.settrace(trace)
        list(pool.run(lambda made: None))
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    assert not ALIVE
    return False


def _no_trace() -> None:
    """No function that traces the lines that follow."""


def _defers(frame: FrameType) -> bool:
    """Whether this line begins to defer interrupts: Python may run a handler just before it."""
    return "interrupts_blocked()" in linecache.getline(frame.f_code.co_filename, frame.f_lineno)
