"""A cluster of two nodes loses one in the middle of a run, again and again: no sample may be lost.

    python plugins/depthmask-ray/tools/node_loss.py --trials 20

Both nodes are on this machine (Ray's own `cluster_utils`). In one trial all processes of the second
node are killed; in the next they are stopped until Ray has given the node up, and go on afterwards,
so that shards are made twice. Each trial has to end with 0, with every sample once, and with the
bytes of `runner=local`.
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
_QUICKLY = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 4,
}
"""A node that does not answer is given up after 6 s instead of 30; one that is only busy is not."""


def on_loopback() -> None:
    """Has to come before Ray is imported, which reads its environment then."""
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


@dataclass(frozen=True)
class Arena:
    """A cluster of one node with one core, to which others are added; and what local makes."""

    cluster: Any
    folder: Path
    expected: str

    def node(self, **options: Any) -> Any:
        """A second node with one core."""
        options |= {"num_cpus": 1, "temp_dir": str(self.folder / "ray")}
        try:
            return self.cluster.add_node(**options)
        except Exception as error:  # so says Ray, of the whole class of what may have happened
            if "timed out during startup" not in str(error):
                raise
            return self.cluster.add_node(**options)

    def start(self, output: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
        """The command on this cluster."""
        address = f"runner.address={self.cluster.address}"
        return start(output, "runner=ray", address, *words, **environment)


@contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """The cluster, until the end."""
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
            "_system_config": _QUICKLY,
        },
    )
    try:
        yield Arena(cluster, folder, manifest(expected))
    finally:
        cluster.shutdown()


def start(output: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """The command, as the leader of a session."""
    return subprocess.Popen(
        [sys.executable, "-m", "depthmask", *WORDS, f"output={output}", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for the end; what was said if it did not come, or with another exit code."""
    try:
        _, text = process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        _, text = process.communicate()
        return f"no end in {DEADLINE_S:g} s: {text}"
    return "" if process.returncode == code else f"exit code {process.returncode}: {text}"


def recorded(output: Path) -> int:
    """How many shards are made."""
    return sum(1 for _ in (output / "records").glob("*.json"))


def retried(output: Path) -> int:
    """How many shards had to be made again."""
    return (output / "run.log").read_text().count("(attempt ")


def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("it never came")
        time.sleep(0.01)


def manifest(output: Path) -> str:
    """The hash over all shards' hashes, as the finished dataset says it."""
    with contextlib.closing(depthmask.open(output)) as dataset:
        return str(dataset.info["manifest_sha256"])


def losses(output: Path, expected: str) -> list[str]:
    """What a finished dataset lacks, or has otherwise than `runner=local` made it."""
    verify = [sys.executable, "-m", "depthmask", "verify", str(output)]
    done = subprocess.run(verify, capture_output=True, text=True)
    problems = [done.stdout + done.stderr] if done.returncode else []
    with contextlib.closing(depthmask.open(output)) as dataset:
        keys = [sample.key for sample in dataset]
    if keys != [f"{number:09d}" for number in range(SAMPLES)]:
        problems.append(f"{len(keys)} samples, {len(set(keys))} different, for {SAMPLES}")
    if manifest(output) != expected:
        problems.append("other bytes than by runner=local")
    return problems


def lose(node: Any, how: str) -> Sequence[int]:
    """Take a node away from one moment to the next; returns its processes."""
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
    """Whether a worker of it has a task; Ray names the process after that."""
    (raylet,) = (one.process.pid for one in node.all_processes["raylet"])
    for process in _children(raylet):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{process}/cmdline").read_bytes().startswith(b"ray::make"):
                return True
    return False


def trial(place: Arena, number: int, how: str) -> list[str]:
    """One run that loses a node at work; what is wrong with what it made."""
    chances = random.Random(number)
    output = place.folder / f"trial-{number}"
    for _ in range(5):
        problem = _run(place, output, how, chances)
        if problem is not None:
            return [problem] if problem else losses(output, place.expected)
        shutil.rmtree(output)
    return ["five runs ended before the second node was at work"]


def _run(place: Arena, output: Path, how: str, chances: random.Random) -> str | None:
    """What went wrong; None if the node was lost when nothing was left to do."""
    node = place.node()
    process = place.start(output)
    try:
        # Of the middle, so that both nodes are at work.
        least = chances.randrange(SHARDS // 8, SHARDS // 2)
        until(lambda: recorded(output) >= least or process.poll() is not None)
        until(lambda: is_at_work(node) or process.poll() is not None)
        time.sleep(chances.uniform(0, 0.05))
        lost = lose(node, how)
        late = recorded(output) == SHARDS
        if how == "slow":
            # Once its shard is being made elsewhere, it wakes and makes it as well.
            until(lambda: retried(output) > 0 or process.poll() is not None)
            time.sleep(chances.uniform(0, 0.3))
            for one in lost:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGCONT)
        problem = finish(process)
    finally:
        process.kill()
        place.cluster.remove_node(node, allow_graceful=False)
    return None if late and not problem else problem


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="A node is lost in the middle of a run.")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--how", choices=LOSSES, help="only so; both take turns otherwise")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="depthmask-loss-"))
    bad = 0
    with arena(folder) as place:
        for number in range(options.trials):
            how = options.how or LOSSES[number % len(LOSSES)]
            began = time.monotonic()
            problems = trial(place, number, how)
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
