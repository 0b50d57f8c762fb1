"""Damages the asset store while runs use it, and compares what they make: no pixel may change.

    python -m tools.store_faults --rounds 50 --seed 0

Each round begins with an empty or a filled store, runs a dataset by two workers that have memory
for few assets, and, all the while, does one thing to the store: flips bytes, truncates or swaps
entries, deletes them or all of it, makes it read-only, or fills its disk (both need the rights to
mount). Exits 1 if a run ends, or has other bytes than without a store.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support import tiny

FAULTS = ("flip", "truncate", "swap", "delete", "delete all", "read-only", "full", "small")
NEED_MOUNT = ("read-only", "full")
SIZE, BACKGROUNDS, FOREGROUNDS = (240, 320), 40, 12
DEADLINE_S = 120.0


def make_assets(root: Path) -> Path:
    """Photographs with depth, and cut-outs, of noise."""
    noise = np.random.default_rng(0)
    for folder in ("bg", "bg_depth", "fg"):
        (root / folder).mkdir(parents=True)
    for number in range(BACKGROUNDS):
        image = noise.integers(0, 256, (*SIZE, 3), np.uint8)
        depth = noise.integers(1000, 5000, SIZE, np.uint16)
        Image.fromarray(image).save(root / f"bg/{number:03d}.png")
        Image.fromarray(depth).save(root / f"bg_depth/{number:03d}.png")
    for number in range(FOREGROUNDS):
        rgba = noise.integers(0, 256, (90, 60, 4), np.uint8)
        rgba[..., 3] = 255
        rgba[:4] = 0
        Image.fromarray(rgba).save(root / f"fg/{number:03d}.png")
    return root


def words(assets: Path, output: Path, samples: int, *more: str) -> list[str]:
    """The arguments of a run."""
    height, width = SIZE
    return [
        *("source=assets", f"source.root={assets}", "geometry=source", f"size=[{height},{width}]"),
        *(f"samples={samples}", "shard_size=20", "runner.workers=2", "runner.memory_gb=0.1"),
        *(f"output={output}", "progress=none", *more),
    ]


def entries(store: Path) -> list[Path]:
    """The files of the store."""
    return [path for path in store.rglob("*") if path.is_file()]


def do(fault: str, store: Path, chance: random.Random) -> None:
    """Do one thing to the store."""
    if fault == "delete all":
        shutil.rmtree(store, ignore_errors=True)
        return
    some = entries(store)
    for path in chance.sample(some, len(some) // 3):
        # A run may have replaced it, or another thread removed its folder.
        with suppress(OSError):
            if fault == "flip":
                _flip(path, chance)
            elif fault == "truncate":
                os.truncate(path, chance.randint(0, path.stat().st_size))
            elif fault == "swap":
                _swap(path, chance.choice(some))
            else:
                path.unlink()


def _flip(path: Path, chance: random.Random) -> None:
    if not path.stat().st_size:
        return
    with path.open("r+b") as file:
        file.seek(chance.randrange(path.stat().st_size))
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1 << chance.randrange(8)]))


def _swap(one: Path, other: Path) -> None:
    aside = one.with_name(f"{one.name}.aside")
    os.rename(one, aside)
    os.rename(other, one)
    os.rename(aside, other)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A file system in memory, mounted on the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def can_mount(folder: Path) -> bool:
    """Whether this user may mount."""
    try:
        with mounted(folder, "size=1m"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


class Arena:
    """A folder with assets, the bytes that runs must have, and a filled store."""

    def __init__(self, folder: Path, samples: int) -> None:
        self.folder = folder
        self.samples = samples
        self.assets = make_assets(folder / "assets")
        self.filled = folder / "filled"
        output = folder / "reference"
        process, log = self.start(self.filled, output, ())
        if process.wait(DEADLINE_S):
            raise SystemExit(f"the undisturbed run failed: {log.read_text()}")
        self.wanted = self.made(output)

    def round(self, number: int, fault: str, seed: int) -> str:
        """Run once, and disturb it; returns what went wrong, or nothing."""
        chance = random.Random(f"{seed}/{number}")
        cache, output = self.folder / f"cache-{number}", self.folder / f"out-{number}"
        options = "size=3m" if fault == "full" else "size=64m"
        needs = mounted(cache, options) if fault in NEED_MOUNT else nullcontext()
        with needs:
            if chance.random() < 0.5 and fault != "full":
                shutil.copytree(self.filled, cache, dirs_exist_ok=True)
            more = ("runner.store_gb=0.005",) if fault == "small" else ()
            process, log = self.start(cache, output, more)
            self._disturb(process, fault, cache, chance)
            code = process.wait(DEADLINE_S)
        problem = f"exit code {code}: {log.read_text().strip()[-300:]}" if code else ""
        if not problem and self.made(output) != self.wanted:
            problem = "other bytes"
        shutil.rmtree(output, ignore_errors=True)
        shutil.rmtree(cache, ignore_errors=True)
        return problem

    def _disturb(
        self, process: subprocess.Popen[bytes], fault: str, cache: Path, chance: random.Random
    ) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(chance.uniform(0, 0.1))
            if fault == "read-only":
                mode = chance.choice(["ro", "rw"])
                subprocess.run(["mount", "-o", f"remount,{mode}", cache], stderr=subprocess.DEVNULL)
            elif fault not in ("full", "small"):
                do(fault, cache / "store", chance)

    @staticmethod
    def made(output: Path) -> dict[str, str]:
        """The hash of each shard of a dataset."""
        return tiny.sha256s(output)

    def start(
        self, cache: Path, output: Path, more: tuple[str, ...]
    ) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a run; returns it and its log. more: further words."""
        log = output.with_suffix(".log")
        command = [
            sys.executable,
            "-m",
            "depthmask",
            *words(self.assets, output, self.samples, *more),
        ]
        environment = {**os.environ, "DEPTHMASK_CACHE": str(cache)}
        with log.open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
        return process, log


def main() -> int:
    """Do the rounds; prints one line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=400)
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        arena = Arena(Path(name), options.samples)
        may_mount = can_mount(Path(name) / "probe")
        faults = [fault for fault in FAULTS if may_mount or fault not in NEED_MOUNT]
        for number in range(options.rounds):
            fault = faults[number % len(faults)]
            problem = arena.round(number, fault, options.seed)
            failed += bool(problem)
            print(f"{number:3d} {fault:10s} {problem or 'ok'}", flush=True)
    print(f"{options.rounds} rounds, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
