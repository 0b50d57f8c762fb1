"""Work that goes on in a thread."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import platform
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

import cv2
import pytest

from depthmask import concurrency
from depthmask.concurrency import (
    cores,
    interrupts_blocked,
    memory,
    parallel_map,
    prefetch,
    running,
)
from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.engine.runner import local
from depthmask.engine.runner.local import Local
from depthmask.stages.depth._keras import set_keras_defaults
from tests.support.paths import ROOT

IN_TWO = "0::/a/b\n"
IN_ONE = "11:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/\n"
IN_BOTH = "1:cpu:/a\n0::/c\n"


@pytest.mark.parametrize(
    ("memberships", "files", "expected"),
    [
        ("", {}, 8),
        (IN_TWO, {"cpu.max": "max 100000"}, 8),
        # A container, to which its own cgroup is the top one.
        ("0::/\n", {"cpu.max": "100000 100000"}, 1),
        ("0::/\n", {"cpu.max": "250000 100000"}, 3),
        ("0::/\n", {"cpu.max": "5000 100000"}, 1),
        ("0::/\n", {"cpu.max": "3200000 100000"}, 8),
        ("0::/../x\n", {"cpu.max": "200000 100000"}, 2),
        # The least of a cgroup and of those around it.
        (IN_TWO, {"a/b/cpu.max": "200000 100000"}, 2),
        (IN_TWO, {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, 3),
        (IN_TWO, {"a/b/cpu.max": "400000 100000", "a/cpu.max": "300000 100000"}, 3),
        (IN_TWO, {"a/c/cpu.max": "200000 100000"}, 8),
        # The first version, as the host and as a container see it; of two versions at once.
        (IN_ONE, {"cpu,cpuacct/docker/1": (150000, 100000)}, 2),
        (IN_ONE, {"cpu,cpuacct": (50000, 50000)}, 1),
        (IN_ONE, {"cpu": (50000, 50000)}, 1),
        (IN_ONE, {"cpu,cpuacct": (-1, 100000)}, 8),
        (IN_ONE, {"memory/docker/1": (100000, 100000)}, 8),
        (IN_BOTH, {"cpu/a": (500000, 100000), "unified/c/cpu.max": "400000 100000"}, 4),
        # What cannot be understood limits nothing.
        ("0::/\nnonsense\n", {"cpu.max": "nonsense"}, 8),
        ("0::/\n", {"cpu.max": "100000 0"}, 8),
    ],
)
def test_quotas_limit_the_cores(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    memberships: str,
    files: dict[str, str | tuple[int, int]],
    expected: int,
) -> None:
    monkeypatch.setattr(concurrency, "processors", lambda: 8)
    if memberships:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(memberships)
    for name, content in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        if isinstance(content, str):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")
        else:
            path.mkdir(parents=True)
            (path / "cpu.cfs_quota_us").write_text(f"{content[0]}\n")
            (path / "cpu.cfs_period_us").write_text(f"{content[1]}\n")
    assert cores(tmp_path) == expected


GIB = 1 << 30
UNLIMITED = 9223372036854771712
"""What the first version of cgroups says where there is no limit."""


@pytest.mark.parametrize(
    ("memberships", "files", "expected"),
    [
        ("", {}, 16 * GIB),
        (IN_TWO, {"memory.max": "max"}, 16 * GIB),
        (IN_TWO, {"a/b/memory.max": str(2 * GIB)}, 2 * GIB),
        (IN_TWO, {"a/b/memory.max": str(4 * GIB), "a/memory.max": str(3 * GIB)}, 3 * GIB),
        (IN_TWO, {"a/b/memory.max": str(64 * GIB)}, 16 * GIB),
        ("0::/\n", {"memory.max": str(GIB)}, GIB),
        (IN_ONE, {"memory/docker/1/memory.limit_in_bytes": str(GIB)}, GIB),
        (IN_ONE, {"memory/memory.limit_in_bytes": str(UNLIMITED)}, 16 * GIB),
        (IN_TWO, {"memory.max": "nonsense"}, 16 * GIB),
    ],
)
def test_cgroups_limit_the_memory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    memberships: str,
    files: dict[str, str],
    expected: int,
) -> None:
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * GIB // 4096}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    if memberships:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(memberships)
    for name, content in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    assert memory(tmp_path) == expected


@pytest.mark.parametrize("name", ["PYTHON_CPU_COUNT", "LOKY_MAX_CPU_COUNT"])
def test_stated_numbers_limit_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(concurrency, "processors", lambda: 8)
    for text, expected in (("3", 3), ("20", 8), ("0", 1), ("default", 8), ("", 8), ("-1", 8)):
        monkeypatch.setenv(name, text)
        assert cores(tmp_path) == expected


def test_quotas_count_wherever_cores_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default of `runner.workers`, and the threads of TensorFlow and OpenCV."""
    monkeypatch.setattr(local, "processors", lambda: 2)
    monkeypatch.setenv("PYTHON_CPU_COUNT", "1")
    before = cv2.getNumThreads()
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    words = ["source.rooms=2", "source.furniture=2", "depth=none", "size=[32,32]"]
    job = job_from_config(compose_root(words))
    assert Local().workers_for(job) == 1
    cv2.setNumThreads(2)
    try:
        assert not list(Local().run(job, [], lambda samples: None))
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)
    set_keras_defaults()
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "1"


def test_nothing_else_counts_processors() -> None:
    """Libraries and the standard library count those of the machine."""
    counting = re.compile(r"cpu_count\(|sched_getaffinity\(")
    modules = (ROOT / "depthmask").rglob("*.py")
    counted = [path.name for path in modules if counting.search(path.read_text())]
    assert counted == ["concurrency.py"]


@pytest.mark.parametrize("in_thread", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_every_item_comes_with_its_own_result(count: int, in_thread: bool) -> None:
    found = [(item, call()) for item, call in prefetch(str, range(count), in_thread=in_thread)]
    assert found == [(item, str(item)) for item in range(count)]


def test_the_work_is_that_of_the_run_that_asks_for_it() -> None:
    """A thread sees the caller's context, by which the logs of runs are kept apart."""
    variable: ContextVar[str] = ContextVar("variable", default="")
    variable.set("mine")
    prefetched = prefetch(lambda item: variable.get(), range(2), in_thread=True)
    assert [call() for _, call in prefetched] == ["mine", "mine"]
    assert list(parallel_map(2, lambda item: variable.get(), range(3))) == ["mine"] * 3


def test_the_work_goes_on_while_the_next_item_is_made() -> None:
    begun, made = threading.Event(), threading.Event()

    def work(item: int) -> bool:
        begun.set()
        # Comes only if the next item is made meanwhile.
        return made.wait(10)

    def items() -> Iterator[int]:
        yield 0
        assert begun.wait(10)
        made.set()
        yield 1

    assert [call() for _, call in prefetch(work, items(), in_thread=True)] == [True, True]


def test_no_more_than_one_item_is_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for item in range(5):
            made.append(item)
            yield item

    for item, call in prefetch(str, items(), in_thread=True):
        call()
        assert made == list(range(min(item + 2, 5)))


@pytest.mark.parametrize("in_thread", [True, False])
def test_an_error_of_the_work_is_raised_for_its_item(in_thread: bool) -> None:
    calls = prefetch(lambda item: 6 // item, [3, 0, 2], in_thread=in_thread)
    assert next(calls)[1]() == 2
    item, call = next(calls)
    with pytest.raises(ZeroDivisionError):
        call()
    assert item == 0
    assert next(calls)[1]() == 3


def test_the_thread_ends_when_the_caller_stops_early() -> None:
    before = set(threading.enumerate())
    calls = prefetch(str, range(5), in_thread=True)
    next(calls)
    assert len(set(threading.enumerate()) - before) == 1
    calls.close()  # type: ignore[attr-defined]
    assert not set(threading.enumerate()) - before


_FAULTS = """
import resource
import numpy as np
from depthmask.concurrency import keep_freed_memory
{call}
def rounds(count):
    for _ in range(count):
        [np.ones(1 << 20, np.uint8) for _ in range(8)]
rounds(3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
rounds(20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_an_interrupt_waits_for_the_end_of_the_block() -> None:
    """Also if another thread receives the signal, as in a notebook."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    # Other tests leave the handlers of commands.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    rounds = []

    def interrupted() -> None:
        with interrupts_blocked():
            os.kill(os.getpid(), signal.SIGINT)
            for number in range(10):
                time.sleep(0.005)
                rounds.append(number)

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
        end.set()
        thread.join()
    assert len(rounds) == 10


def test_a_process_ends_with_the_block() -> None:
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    with running(process):
        assert process.is_alive()
    assert process.exitcode == -signal.SIGKILL


def test_a_process_that_cannot_start_tells_why() -> None:
    process = multiprocessing.get_context("spawn").Process(target=lambda: None)
    with pytest.raises((AttributeError, pickle.PicklingError)), running(process):
        pytest.fail("it runs")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_freed_memory_is_kept_for_the_next_arrays() -> None:
    def faults(call: str) -> int:
        command = [sys.executable, "-c", _FAULTS.format(call=call)]
        return int(subprocess.run(command, capture_output=True, check=True).stdout)

    assert faults("keep_freed_memory()") < 200 < 2000 < faults("")
