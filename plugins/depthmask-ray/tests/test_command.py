"""Runs with a cluster of their own: signals, hung tasks and dying tasks."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import commands
from node_loss import SAMPLES, SHARDS, TrialCluster, finish, losses, recorded, start, until

PLUGIN = """
import os, time
from pathlib import Path
from depthmask import Placement, scaled_layer, setting, stage

@stage("faulty")
class Faulty(Placement):
    "Hangs once at sample 15, and always dies at sample 25."
    marker: str = setting(help="file that is there once it has hung")

    def place(self, scene, foreground, flip, random):
        if scene.index == 15 and not Path(self.marker).exists():
            Path(self.marker).touch()
            time.sleep(1000)
        if scene.index == 25:
            os._exit(1)
        return scaled_layer(foreground, top=5, left=5, scale=1.0, flip=flip)
"""


def test_interrupted_and_resumed(
    trial_cluster: TrialCluster, tmp_path: Path, scratch: Path
) -> None:
    """Ray leaves no process and no file behind, and the same command resumes."""
    output = tmp_path / "out"
    process = start(output, "runner=ray", RAY_TMPDIR=str(scratch))
    until(lambda: recorded(output) >= 3 or process.poll() is not None)
    # 127.0.0.1, in IPv4 and in IPv6.
    assert commands.listening(process.pid) == {"0100007F", "0000000000000000FFFF00000100007F"}
    assert [path.stat().st_mode & 0o777 for path in scratch.iterdir()] == [0o700]
    # To the whole group, as a terminal does.
    os.killpg(process.pid, signal.SIGINT)
    _, text = process.communicate(timeout=60)
    assert process.returncode == 130, text
    assert text.splitlines()[-1] == "interrupted; run the same command again to resume"
    assert "Traceback" not in text
    assert commands.left(process.pid, 2) == []
    assert list(scratch.iterdir()) == []
    made = recorded(output)
    assert 3 <= made < SHARDS
    process = start(output, "runner=ray", RAY_TMPDIR=str(scratch))
    _, text = process.communicate(timeout=120)
    assert process.returncode == 0, text
    assert f"({made * SAMPLES // SHARDS} are already made)" in text
    assert losses(output, trial_cluster.expected) == []
    assert list(scratch.iterdir()) == []


def test_a_killed_command_leaves_nobody(tmp_path: Path, scratch: Path) -> None:
    process = start(tmp_path / "out", "runner=ray", RAY_TMPDIR=str(scratch))
    until(lambda: recorded(tmp_path / "out") >= 1 or process.poll() is not None)
    process.kill()
    # Ray's agents, which touch none of our files, notice its end only after a while.
    assert commands.left(process.pid, 10, but="Agent") == []
    assert process.wait() == -signal.SIGKILL


def test_a_task_that_hangs_and_one_that_dies(
    trial_cluster: TrialCluster, tmp_path: Path, scratch: Path
) -> None:
    """The shard of the hung task is made in the end; the other is named, and the rest is kept."""
    commands.install_plugin(tmp_path, "faulty", PLUGIN)
    output = tmp_path / "out"
    words = (
        "placement=faulty",
        f"placement.marker={tmp_path / 'marker'}",
        "samples=40",
        "shard_size=10",
    )
    process = start(
        output, "runner=ray", "runner.timeout=4", *words,
        RAY_TMPDIR=str(scratch), PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    text = finish(process, code=1)
    assert text == ""
    log = (output / "run.log").read_text()
    hung, died = "no sample in runner.timeout=4 s", "WorkerCrashedError: The worker died"
    assert re.findall(rf"train-000001: sample 15 .* or one after it: {hung} \(attempt 1\)", log)
    assert len(re.findall(rf"train-000002: sample 2\d .* or one after it: {died}.*\(att", log)) == 3
    assert sorted(path.stem for path in (output / "records").iterdir()) == [
        f"train-00000{number}" for number in (0, 1, 3)
    ]
