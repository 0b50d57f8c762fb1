"""Removes one of two nodes in the middle of a run, many times, and checks that no sample is lost.

    python plugins/depthmask-ray/tools/node_loss.py --trials 20

Both nodes are on this machine (Ray's own `cluster_utils`). In one trial all processes of the second
node are killed; in the next they are stopped until Ray has given the node up, and then continue, so
that shards are made twice. Each trial has to end with exit code 0, every sample once, and the bytes
of `runner=local`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import depthmask

SAMPLES, SHARDS = 1600, 40
WORDS = (
    *("+preset=pairs", "source.rooms=2", "source.furniture=4", "source.oversample=1"),
    *("size=[480,480]", f"samples={SAMPLES}", f"shard_size={SAMPLES // SHARDS}"),
)
DEADLINE_S = 120.0
LOSSES = ("killed", "slow")
_FAST_HEALTH_CHECKS = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 4,
}
"""Ray gives up a node that does not answer after 6 s instead of 30, but not one that is busy."""


def on_loopback() -> None:
    """Make Ray bind to the loopback alone; call this before Ray is imported."""
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


@dataclass(frozen=True)
class TrialCluster:
    """A cluster of one node with one core, to which nodes are added.

    expected: the manifest of the dataset that `runner=local` makes.
    """

    cluster: Any
    folder: Path
    expected: str

    def node(self, **options: Any) -> Any:
        """Add a node with one core."""
        options |= {"num_cpus": 1, "temp_dir": str(self.folder / "ray")}
        try:
            return self.cluster.add_node(**options)
        except Exception as error:  # Ray raises a plain Exception
            if "timed out during startup" not in str(error):
                raise
            return self.cluster.add_node(**options)

    def start(self, output: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start the command on this cluster."""
        address = f"runner.address={self.cluster.address}"
        return start(output, "runner=ray", address, *words, **environment)


@contextmanager
def trial_cluster(folder: Path) -> Iterator[TrialCluster]:
    """Give a cluster; it is shut down at the end."""
    on_loopback()
    from ray.cluster_utils import Cluster

    expected = folder / "expected"
    ended = finish(start(expected, "runner.workers=2"))
    if ended:
        raise RuntimeError(ended)
    # Ray 2.60 notes the cluster's address in its usual folder, which it makes only elsewhere.
    Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray").mkdir(exist_ok=True)
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "include_dashboard": False,
            "temp_dir": str(folder / "ray"),
            "_system_config": _FAST_HEALTH_CHECKS,
        },
    )
    try:
        yield TrialCluster(cluster, folder, manifest(expected))
    finally:
        cluster.shutdown()


def start(output: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """Start the command in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "depthmask", *WORDS, f"output={output}", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for the end; returns what went wrong, empty if the exit code is as expected."""
    try:
        _, text = process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        _, text = process.communicate()
        return f"no end in {DEADLINE_S:g} s: {text}"
    return "" if process.returncode == code else f"exit code {process.returncode}: {text}"


def recorded(output: Path) -> int:
    """The number of shards that have a record."""
    return sum(1 for _ in (output / "records").glob("*.json"))


def retried(output: Path) -> int:
    """The number of failed attempts that the log reports."""
    return (output / "run.log").read_text().count("(attempt ")


def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; RuntimeError if it takes too long."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"condition not met in {DEADLINE_S:g} s")
        time.sleep(0.01)


def manifest(output: Path) -> str:
    """The hash over the hashes of all shards, from `dataset.json`."""
    with contextlib.closing(depthmask.open(output)) as dataset:
        return str(dataset.info["manifest_sha256"])


def losses(output: Path, expected: str) -> list[str]:
    """The differences between a finished dataset and the one that `runner=local` made."""
    verify = [sys.executable, "-m", "depthmask", "verify", str(output)]
    done = subprocess.run(verify, capture_output=True, text=True)
    problems = [done.stdout + done.stderr] if done.returncode else []
    with contextlib.closing(depthmask.open(output)) as dataset:
        keys = [sample.key for sample in dataset]
    if keys != [f"{number:09d}" for number in range(SAMPLES)]:
        problems.append(f"{len(keys)} samples, {len(set(keys))} different, for {SAMPLES}")
    if manifest(output) != expected:
        problems.append("other bytes than with runner=local")
    return problems


def lose(node: Any, how: str) -> Sequence[int]:
    """Kill or stop all processes of a node at once; returns them."""
    (raylet,) = (one.process.pid for one in node.all_processes["raylet"])
    processes = [raylet, *_children(raylet)]
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL if how == "killed" else signal.SIGSTOP)
    return processes


def _children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(one) for one in text.split()]


def is_at_work(node: Any) -> bool:
    """Whether a worker of the node runs a task, after which Ray names the process."""
    (raylet,) = (one.process.pid for one in node.all_processes["raylet"])
    for process in _children(raylet):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{process}/cmdline").read_bytes().startswith(b"ray::make"):
                return True
    return False


def trial(cluster: TrialCluster, number: int, how: str) -> list[str]:
    """Make a run that loses a node while it works; returns the problems of its dataset."""
    chances = random.Random(number)
    output = cluster.folder / f"trial-{number}"
    for _ in range(5):
        problem = _run(cluster, output, how, chances)
        if problem is not None:
            return [problem] if problem else losses(output, cluster.expected)
        shutil.rmtree(output)
    return ["five runs ended before the second node was at work"]


def _run(cluster: TrialCluster, output: Path, how: str, chances: random.Random) -> str | None:
    """Return what went wrong; None if all shards were made before the node was lost."""
    node = cluster.node()
    process = cluster.start(output)
    try:
        # In the middle of the run, so that both nodes are at work.
        least = chances.randrange(SHARDS // 8, SHARDS // 2)
        until(lambda: recorded(output) >= least or process.poll() is not None)
        until(lambda: is_at_work(node) or process.poll() is not None)
        time.sleep(chances.uniform(0, 0.05))
        lost = lose(node, how)
        late = recorded(output) == SHARDS
        if how == "slow":
            # The node continues once its shard is being made elsewhere, and makes it as well.
            until(lambda: retried(output) > 0 or process.poll() is not None)
            time.sleep(chances.uniform(0, 0.3))
            for one in lost:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGCONT)
        problem = finish(process)
    finally:
        process.kill()
        cluster.cluster.remove_node(node, allow_graceful=False)
    return None if late and not problem else problem


def main() -> int:
    """Run the trials; 1 if one lost something."""
    parser = argparse.ArgumentParser(description="A node is lost in the middle of a run.")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--how", choices=LOSSES, help="how nodes are lost; default: both in turn")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="depthmask-loss-"))
    bad = 0
    with trial_cluster(folder) as cluster:
        for number in range(options.trials):
            how = options.how or LOSSES[number % len(LOSSES)]
            began = time.monotonic()
            problems = trial(cluster, number, how)
            output = folder / f"trial-{number}"
            seconds = time.monotonic() - began
            print(f"{number:3} {how:7}{seconds:5.0f} s, {retried(output)} shards again: "
                  f"{problems or 'nothing lost'}", flush=True)  # fmt: skip
            bad += bool(problems)
            shutil.rmtree(output)
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{options.trials} trials, {bad} with losses")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
