"""Workers that die, hang or fail, again and again: no run may end with 0 and samples missing.

    python -m tests.support.fault_loop --rounds 100

A placement from a plugin does something terrible at sample 7. For every round: the right exit
code, the culprit in the one line, the other shards made, no process left 5 s later; and once the
fault is gone, the same command completes the dataset to the bytes of a run without a fault.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# So that it runs as a script, too.
from depthmask.storage.location import location
from depthmask.storage.records import Records
from tests.support import tiny

PLUGIN = """
import ctypes, os, resource, signal, sys, time
from pathlib import Path
from depthmask import Placement, scaled_layer, setting, stage

def limit():
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), -1))
    bytearray(1 << 32)

def error():
    raise ValueError("boom\\nin two lines")

def memory():
    raise MemoryError

FAULTS = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(3),
    "exit0": lambda: os._exit(0),
    "sysexit": lambda: sys.exit(0),
    "segfault": lambda: ctypes.string_at(0),
    "hang": lambda: time.sleep(1e6),
    "limit": limit, "error": error, "memory": memory,
}

@stage("faulty")
class Faulty(Placement):
    "Fails at one background with one cut-out, or always."
    always: bool = setting(False, help="with every cut-out")
    after: int = setting(0, help="the samples before it are left alone")

    def place(self, scene, foreground, flip, random):
        fault, marker = os.environ.get("FAULT"), os.environ.get("FAULT_MARKER")
        here = self.always or (scene.background.key, foreground.key) == ("wall1", "box3")
        here = here and scene.index >= self.after
        if fault and here and not (marker and Path(marker).exists()):
            if marker:
                Path(marker).touch()
            FAULTS[fault]()
        top = int(random.integers(0, 10))
        return scaled_layer(foreground, top=top, left=5, scale=1.0, flip=flip)
"""
FAULTS = ("kill", "exit", "exit0", "sysexit", "segfault", "hang", "limit", "error", "memory")
RAISED = ("limit", "error", "memory")
"""The faults that are errors of Python, which a worker answers with."""
DEADLINE_S = 120.0


@dataclass(frozen=True)
class Ended:
    """A run that is over. left: processes that were still there 5 s later."""

    code: int
    text: str
    left: int


class Arena:
    """Assets, the plugin, and what a run without a fault makes: 4 shards of 3 samples."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.assets = tiny.make_assets(folder / "assets")
        (folder / "faulty.py").write_text(PLUGIN)
        info = folder / "faulty-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[depthmask]\nfaulty = faulty\n")

    @cached_property
    def wanted(self) -> dict[str, str]:
        """sha256 of the shards of a run without a fault."""
        ended = self.run(self.folder / "wanted")
        if ended.code:
            raise SystemExit(ended.text)
        return tiny.sha256s(self.folder / "wanted")

    def words(self, output: Path, workers: int = 2, more: tuple[str, ...] = ()) -> list[str]:
        """Sample 7 is wall1 with box3, in the middle of train-000002."""
        return tiny.words(
            self.assets,
            output,
            *("placement=faulty", "samples=12", "shard_size=3", "sampling=product", "flips=false"),
            *("repeats=1", f"runner.workers={workers}", "runner.timeout=5", *more),
        )

    def start(
        self, output: Path, workers: int = 2, more: tuple[str, ...] = (), **env: str
    ) -> subprocess.Popen[str]:
        """The run as a process group of its own."""
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            [sys.executable, "-m", "depthmask", *self.words(output, workers, more)],
            env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), **env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, output: Path, workers: int = 2, more: tuple[str, ...] = (), **env: str) -> Ended:
        """The run to its end; -1: it hung."""
        return finish(self.start(output, workers, more, **env))

    def made(self, output: Path) -> list[int]:
        """The numbers of the shards that are there."""
        names = ((number, f"train-{number:06d}") for number in range(4))
        records = Records(location(output))
        return [number for number, name in names if records.read(name)]


def finish(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end, and for what should end with it."""
    try:
        _, text = process.communicate(timeout=DEADLINE_S)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        _, text = process.communicate()
        code = -1
    left = tiny.orphans(process.pid)
    tiny.end(left)
    return Ended(code, text, len(left))


def always(arena: Arena, output: Path, fault: str) -> list[str]:
    """A fault that comes each time: exit 1, named, tried three times, the others made.

    An error that has come twice is not tried a third time.
    """
    ended = arena.run(output, FAULT=fault)
    errors = [line for line in ended.text.splitlines() if line.startswith("error: ")]
    problems = []
    if ended.code != 1 or ended.left or arena.made(output) != [0, 1, 3]:
        problems.append(f"{ended}, made {arena.made(output)}")
    if len(errors) != 1 or "train-000002: sample 7 (wall1, box3)" not in errors[0]:
        problems.append(f"the culprit is not named in one line: {ended.text}")
    attempts = 2 if fault in RAISED else 3
    if "Traceback" in ended.text or ended.text.count("(attempt ") != attempts:
        problems.append(f"not {attempts} attempts, or a traceback: {ended.text}")
    return problems


def once(arena: Arena, output: Path, fault: str) -> list[str]:
    """A fault that comes once: exit 0."""
    marker = output.with_suffix(".marker")
    ended = arena.run(output, FAULT=fault, FAULT_MARKER=str(marker))
    problems = [] if ended.code == 0 and not ended.left else [str(ended)]
    return problems if marker.exists() else [*problems, "the fault never came"]


def parent(arena: Arena, output: Path, fault: str) -> list[str]:
    """The parent is killed while a worker is at its fault: nobody stays behind."""
    process = arena.start(output, FAULT=fault)
    wait_s = random.Random(output.name).uniform(0.3, 3.0)
    time.sleep(wait_s)
    process.kill()
    ended = finish(process)
    return [f"{ended.left} left behind"] if ended.left else []


SCENES: tuple[Callable[[Arena, Path, str], list[str]], ...] = (always, once, parent)


def resumed(arena: Arena, output: Path) -> list[str]:
    """The same command without the fault: exit 0 and the same bytes."""
    ended = arena.run(output)
    if ended.code or ended.left:
        return [f"resuming: {ended}"]
    return tiny.losses(output, 12, arena.wanted)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Workers that die, hang or fail.")
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    arena = Arena(Path(tempfile.mkdtemp(prefix="depthmask-fault-")))
    bad = 0
    for number in range(options.rounds):
        fault = FAULTS[number % len(FAULTS)]
        scene = SCENES[number // len(FAULTS) % len(SCENES)]
        output = arena.folder / f"round-{number}"
        problems = scene(arena, output, fault) + resumed(arena, output)
        print(f"{number:4} {scene.__name__:7} {fault:9} {problems or 'as it should'}", flush=True)
        bad += bool(problems)
    shutil.rmtree(arena.folder)
    print(f"{options.rounds} rounds, {bad} bad: hangs, orphans, wrong codes or lost samples")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
