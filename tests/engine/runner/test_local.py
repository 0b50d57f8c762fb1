"""Workers that die, hang or fail: never exit 0 with missing samples, never a process left."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support import fault_loop, tiny


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> fault_loop.Arena:
    return fault_loop.Arena(tmp_path_factory.mktemp("faults"))


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "fault",
    ["kill", *(pytest.param(one, marks=SLOW) for one in ("exit0", "segfault", "limit"))],
)
def test_a_worker_that_always_dies(arena: fault_loop.Arena, tmp_path: Path, fault: str) -> None:
    assert fault_loop.always(arena, tmp_path / "out", fault) == []
    assert fault_loop.resumed(arena, tmp_path / "out") == []


@pytest.mark.parametrize("fault", [pytest.param("exit", marks=SLOW), "error"])
def test_a_worker_that_fails_once(arena: fault_loop.Arena, tmp_path: Path, fault: str) -> None:
    assert fault_loop.once(arena, tmp_path / "out", fault) == []
    assert tiny.losses(tmp_path / "out", 12, arena.wanted) == []


@pytest.mark.slow
def test_a_worker_that_hangs_once(arena: fault_loop.Arena, tmp_path: Path) -> None:
    assert fault_loop.once(arena, tmp_path / "out", "hang") == []
    log = (tmp_path / "out" / "run.log").read_text()
    assert "train-000002: sample 7 (wall1, box3): no sample in runner.timeout=5 s" in log


def test_workers_end_with_a_killed_parent(arena: fault_loop.Arena, tmp_path: Path) -> None:
    process = arena.start(tmp_path / "out", FAULT="hang")
    deadline = time.monotonic() + 60
    # Until all that is left is the worker that hangs, and one that waits.
    while arena.made(tmp_path / "out") != [0, 1, 3]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    # Even one that cannot run any code of ours.
    for worker in tiny.children(process.pid):
        os.kill(worker, signal.SIGSTOP)
    process.kill()
    ended = fault_loop.finish(process)
    assert (ended.code, ended.left) == (-signal.SIGKILL, 0)


def test_several_workers_are_several_processes_also_for_the_last_shard(
    arena: fault_loop.Arena, tmp_path: Path
) -> None:
    """A process that ends itself with 0 must not end the run with 0."""
    fault_loop.always(arena, tmp_path / "out", "kill")
    ended = arena.run(tmp_path / "out", FAULT="exit0")
    assert ended.code == 1
    assert "train-000002: sample 7 (wall1, box3): the worker ended with code 0" in ended.text


def test_a_stage_that_always_fails_is_not_tried_for_ever(
    arena: fault_loop.Arena, tmp_path: Path
) -> None:
    ended = arena.run(tmp_path / "out", 1, ("samples=600", "placement.always=true"), FAULT="error")
    assert ended.code == 1
    assert "2 of the shards could not be made, no shard was made, so the run stopped" in ended.text
    # The same error twice would come a third time.
    assert [ended.text.count(f"(attempt {number})") for number in (1, 2, 3)] == [2, 2, 0]


def test_a_failed_attempt_that_had_begun_to_write_leaves_nothing(
    arena: fault_loop.Arena, tmp_path: Path
) -> None:
    one_shard = ("samples=24", "shard_size=24", "placement.after=8")
    assert arena.run(tmp_path / "whole", 1, one_shard).code == 0
    marker = str(tmp_path / "marker")
    ended = arena.run(tmp_path / "out", 1, one_shard, FAULT="error", FAULT_MARKER=marker)
    assert ended.code == 0
    assert "(attempt 1)" in ended.text
    assert tiny.losses(tmp_path / "out", 24, tiny.sha256s(tmp_path / "whole")) == []


def test_a_failing_stage_in_this_process(arena: fault_loop.Arena, tmp_path: Path) -> None:
    ended = arena.run(tmp_path / "out", workers=1, FAULT="error")
    assert ended.code == 1
    errors = [line for line in ended.text.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert (
        "train-000002: sample 7 (wall1, box3): placement=faulty (faulty 1.0): "
        "ValueError: boom in two lines (in " in errors[0]
    )
    assert "Traceback" not in ended.text
    assert arena.made(tmp_path / "out") == [0, 1, 3]
    log = (tmp_path / "out" / "run.log").read_text()
    assert 'ValueError("boom\\nin two lines")' in log
    assert fault_loop.resumed(arena, tmp_path / "out") == []
