"""Compares the speed of `runner=ray` and `runner=local` in one run, as a ratio.

    python plugins/depthmask-ray/tools/local_ratio.py --assets DIR --samples 400000 --rounds 1

Both runners take turns with the same pairs of image and mask. The time in which Ray starts is left
out; that in which local starts its workers is not. Processor time of all processes is measured
besides wall time, since other users of the machine hardly change it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from depthmask import Job, Runner
from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.engine.runner.local import Local
from depthmask.storage.identity import take_output

from depthmask_ray._cluster import connected
from depthmask_ray.runner import Ray

PAIRS = ("+preset=pairs", "placement=original", "encode.quality=50")


def prepared(assets: Path, samples: int, output: Path) -> Job:
    """The job, with its output folder taken as in a run."""
    words = [*PAIRS, "source=assets", f"source.root={assets}", f"samples={samples}"]
    root = compose_root([*words, f"output={output}"])
    job = job_from_config(root)
    take_output(job.output, job.identity, overwrite=False)
    return job


def processor_seconds() -> dict[int, float]:
    """Processor seconds of this process and of each descendant, with children that have ended."""
    times: dict[int, float] = {}
    children: dict[int, list[int]] = {}
    for stat in _stats():
        times[int(stat[0])] = sum(map(int, stat[12:16])) / os.sysconf("SC_CLK_TCK")
        children.setdefault(int(stat[2]), []).append(int(stat[0]))
    processes: dict[int, float] = {}
    waiting = [os.getpid()]
    while waiting:
        process = waiting.pop()
        processes[process] = times.get(process, 0.0)
        waiting += children.get(process, [])
    return processes


def _stats() -> Iterator[list[str]]:
    """Yield (id, state, parent, ...) of each process, see proc(5); fields 12 to 15 are times."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                yield [entry.name, *(entry / "stat").read_text().rpartition(")")[2].split()]


def measured(runner: Runner, assets: Path, samples: int) -> tuple[float, float]:
    """(samples a second, samples a second of processor time)."""
    folder = Path(tempfile.mkdtemp(prefix="depthmask-ratio-"))
    try:
        job = prepared(assets, samples, folder / "out")
        before, start = processor_seconds(), time.perf_counter()
        made = sum(map(len, runner.run(job, job.plan.shards(), lambda count: None)))
        seconds, after = time.perf_counter() - start, processor_seconds()
        busy = sum(spent - before.get(process, 0.0) for process, spent in after.items())
    finally:
        shutil.rmtree(folder)
    if made != samples:
        raise RuntimeError(f"{made} of {samples} samples")
    return samples / seconds, samples / busy


def main() -> int:
    """Print every round, and the medians' ratio; 1 if Ray is below 0.9."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True, help="folder with bg/ and fg/")
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rates: dict[str, list[tuple[float, float]]] = {"local": [], "ray": []}
    runners: dict[str, Runner] = {"local": Local(), "ray": Ray()}
    with connected("local"):
        for _ in range(options.rounds):
            for name, runner in runners.items():
                rates[name].append(measured(runner, options.assets, options.samples))
                wall, busy = rates[name][-1]
                print(f"{name:6}{wall:8,.0f} samples/s{busy:8,.0f} /s of processor", flush=True)
    wall, busy = (
        statistics.median(one[which] for one in rates["ray"])
        / statistics.median(one[which] for one in rates["local"])
        for which in (0, 1)
    )
    print(f"ray to local: {wall:.2f} by the clock, {busy:.2f} by processor time")
    return 0 if wall >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
