"""The first Ctrl-C, SIGTERM or SIGHUP ends a run within 10 s, without a traceback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import tiny

pytestmark = pytest.mark.slow


def wait_for_handler(process: subprocess.Popen[bytes]) -> None:
    """Until our code has begun: before, Python is starting, and no code of ours can answer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = int(status.split("SigCgt:")[1].split()[0], 16)
        if caught & 1 << (signal.SIGTERM - 1):
            return
        time.sleep(0.005)
    raise AssertionError("it never began")


def signalled(words: list[str], log: Path, sent: signal.Signals, wait_s: float) -> int:
    process = tiny.start(words, log)
    wait_for_handler(process)
    time.sleep(wait_s)
    # Ctrl-C and the end of a terminal reach the whole process group, SIGTERM one process.
    if sent in (signal.SIGINT, signal.SIGHUP):
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    code = process.wait(10)
    assert tiny.orphans(process.pid) == []
    return code


def test_an_interrupted_run_can_be_resumed_at_any_time(tmp_path: Path) -> None:
    assets, log = tiny.make_assets(tmp_path / "assets"), tmp_path / "log"
    plan = ("samples=200", "shard_size=10", "runner.workers=2")
    words = tiny.words(assets, tmp_path / "out", *plan)
    chance = random.Random(3)
    for number in range(8):
        sent = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3]
        code = 128 + sent
        assert signalled(words, log, sent, chance.uniform(0, 1.5)) in (code, 0)
        text = log.read_text()
        assert "Traceback" not in text, text
        assert "interrupted; run the same command again" in text or "preview" in text
    assert tiny.start(words, log).wait(60) == 0
    assert tiny.start(tiny.words(assets, tmp_path / "whole", *plan), log).wait(60) == 0
    assert tiny.losses(tmp_path / "out", 200, tiny.sha256s(tmp_path / "whole")) == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_while_geometry_is_measured(
    tmp_path: Path, sent: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow is loading, or the network at work."""
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    words = ["source.rooms=40", "geometry=fastdepth", "samples=50", f"output={tmp_path / 'out'}"]
    code = signalled(words, tmp_path / "log", sent, 2.0)
    assert code == 128 + sent
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "words",
    [
        ["tune", "depth=fastdepth"],
        ["-m", "seed=0,1,2", "samples=5000", "runner.workers=1", "hydra/launcher=joblib"],
    ],
    ids=["tune", "joblib"],
)
def test_an_interrupt_of_other_processes(tmp_path: Path, words: list[str]) -> None:
    if "hydra/launcher=joblib" in words:
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
        words = [*words, f"output={tmp_path / 'out'}"]
    assert signalled(words, tmp_path / "log", signal.SIGINT, 8.0) == 130
    text = (tmp_path / "log").read_text()
    assert "Traceback" not in text, text
    assert "KeyboardInterrupt" not in text, text
    assert "failed" not in text, text


def test_the_workers_of_a_sweep_end_when_it_is_killed(tmp_path: Path) -> None:
    """Those of the launcher, with one that has no job, and those of its runners."""
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    rooms = ["source.rooms=2", "source.furniture=2", "size=[16,16]", "depth=none"]
    words = ["-m", "seed=0,1", "samples=100000", "shard_size=500", "runner.workers=2", *rooms]
    launcher = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=3", f"output={tmp_path / 'out'}"]
    process = tiny.start([*words, *launcher], tmp_path / "log")
    try:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "out").glob("*/records/*")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(tiny.group(process.pid)) >= 6
        process.kill()
        process.wait()
        assert tiny.orphans(process.pid) == []
    finally:
        tiny.end(tiny.group(process.pid))
