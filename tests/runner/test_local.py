"""Workers that die, hang or fail: never exit 0 with missing samples, never a process left."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent.parent))

from tools import fault_loop, tiny


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


@pytest.mark.slow
def test_a_killed_parent_leaves_nobody(arena: fault_loop.Arena, tmp_path: Path) -> None:
    process = arena.start(tmp_path / "out", FAULT="hang")
    deadline = time.monotonic() + 60
    while len(tiny.children(process.pid)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # Even one that cannot run any code of ours.
    os.kill(tiny.children(process.pid)[0], signal.SIGSTOP)
    process.kill()
    assert fault_loop.finish(process).left == 0


def test_a_failing_stage_in_this_process(arena: fault_loop.Arena, tmp_path: Path) -> None:
    ended = arena.run(tmp_path / "out", workers=1, FAULT="error")
    assert ended.code == 1
    errors = [line for line in ended.text.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "train-000002: sample 7 (wall1, box3): ValueError: boom in two lines (in " in errors[0]
    assert "Traceback" not in ended.text
    assert arena.made(tmp_path / "out") == [0, 1, 3]
    log = (tmp_path / "out" / "run.log").read_text()
    assert 'ValueError("boom\\nin two lines")' in log
    assert fault_loop.resumed(arena, tmp_path / "out") == []
