"""Interrupt runs with full-size pictures at random times, and count what they lose.

    python -m tools.interruptions ASSETS --rounds 10 --seed 0

Every round starts a run of 480x640 or 1024x1024 over the assets in a folder with bg/ and fg/,
interrupts it after a random time by SIGINT, and looks at the disk. Exits 1 if more than one shard
for each worker was unfinished, if a shard has more than 80 MB, or if the run did not say how many
samples it makes again.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from depthmask.storage.location import location
from depthmask.storage.path import DRAFTS
from depthmask.storage.publish import read_sealed
from tests.support import tiny

SIZES = ("[480,640]", "[1024,1024]")
WORKERS = 2
MOST_BYTES = 80_000_000
_LOSS = re.compile(r"([\d,]+) samples of unfinished shards will be made again; ([\d,]+) samples")


@dataclass(frozen=True, slots=True)
class Interruption:
    """What a run had done when it was interrupted.

    shard_size: the samples in a shard. shard_bytes: the bytes of the largest shard on the disk.
    lost, kept: the samples that it says it makes again, and that are in finished shards.
    on_disk: the samples in records.
    """

    size: str
    seconds: float
    shard_size: int
    shard_bytes: int
    lost: int
    kept: int
    on_disk: int

    @property
    def problems(self) -> list[str]:
        """What is not as promised."""
        faults = {
            "more than one shard a worker was lost": self.lost > WORKERS * self.shard_size,
            "a shard is larger than 80 MB": self.shard_bytes > MOST_BYTES,
            "it says less than is kept": self.kept > self.on_disk,
        }
        return [text for text, is_so in faults.items() if is_so]


def interrupt(words: list[str], folder: Path, size: str, seconds: float) -> Interruption:
    """Start a run, interrupt it after some seconds of making samples, and see what is left."""
    output, log = folder / "out", folder / "log"
    process = tiny.start([*words, f"size={size}", f"output={output}"], log)
    while not any((output / DRAFTS).glob("*")) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    if process.wait(60) != 130:
        raise SystemExit(f"the run was not interrupted: {log.read_text()[-500:]}")
    told = _LOSS.search(log.read_text())
    lost, kept = (int(text.replace(",", "")) for text in told.groups()) if told else (0, 0)
    plan = read_sealed(location(output) / "plan.json") or {}
    records = [read_sealed(location(path)) or {} for path in (output / "records").glob("*.json")]
    return Interruption(
        size=size,
        seconds=seconds,
        shard_size=plan.get("unhashed", {}).get("shard_size", 0),
        shard_bytes=max((path.stat().st_size for path in output.glob("shards/*.tar")), default=0),
        lost=lost,
        kept=kept,
        on_disk=sum(record["stop"] - record["start"] for record in records),
    )


def rounds(assets: Path, count: int, seed: int, longest_s: float) -> list[Interruption]:
    """Interrupt that many runs, of both sizes in turn, each within its first `longest_s`."""
    rng = random.Random(seed)
    words = [
        *("source=assets", f"source.root={assets}", "samples=100000", "geometry=none"),
        *("depth=none", f"runner.workers={WORKERS}"),
    ]
    interruptions = []
    for number in range(count):
        with tempfile.TemporaryDirectory() as folder:
            size, seconds = SIZES[number % len(SIZES)], rng.uniform(1, longest_s)
            interruptions.append(interrupt(words, Path(folder), size, seconds))
            print(interruptions[-1], *interruptions[-1].problems, flush=True)
    return interruptions


def main() -> int:
    """Run as the module's docstring says; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assets", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=30.0, metavar="SECONDS")
    options = parser.parse_args()
    interruptions = rounds(options.assets, options.rounds, options.seed, options.longest)
    return 1 if any(one.problems for one in interruptions) else 0


if __name__ == "__main__":
    sys.exit(main())
