"""What the asset store saves: many photographs beside few, filling it, second starts, and rooms.

    python benchmarks/asset_store.py --few DIR --many DIR [--before CHECKOUT] [--json result.json]

few: a folder with a hundred backgrounds and cut-outs of 160x160. many: one with thousands of
photographs of real sizes. All figures are of whole processes, one after another in one run, medians
of `--runs`; rates are taken between two numbers of samples, so that starts fall out. before: a
checkout of an earlier version, for the rows with rooms.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from depthmask.concurrency import machine_info

WORKERS = 2
PAIRS = ("+preset=pairs", "encode.quality=50", f"runner.workers={WORKERS}", "progress=none")
LARGER = {"160x160": (4_000, 20_000), "480x640": (300, 1_500)}
"""Canvas -> the two numbers of samples between which a rate is taken."""


class Bench:
    """A scratch folder with a store of its own."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.cache = folder / "cache"

    def seconds(self, words: Sequence[str], *, checkout: Path | None = None) -> float:
        """The wall time of a run into a new folder."""
        output = self.folder / "out"
        shutil.rmtree(output, ignore_errors=True)
        environment = {**os.environ, "DEPTHMASK_CACHE": str(self.cache)}
        if checkout is not None:
            environment["PYTHONPATH"] = str(checkout)
        command = [sys.executable, "-m", "depthmask", *words, f"output={output}"]
        start = time.perf_counter()
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    def median(self, measure: Callable[[], float]) -> float:
        """The median of several measurements."""
        return statistics.median(measure() for _ in range(self.runs))

    def empty(self) -> None:
        """Empty the store."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def rate(self, words: Sequence[str], samples: tuple[int, int]) -> float:
        """Samples a second, between two numbers of samples; the store is filled before."""
        few, many = samples
        self.seconds([*words, "samples=100"])

        def once() -> float:
            shorter = self.seconds([*words, f"samples={few}"])
            return (many - few) / (self.seconds([*words, f"samples={many}"]) - shorter)

        return self.median(once)


def pairs(bench: Bench, few: Path, many: Path) -> dict[str, dict[str, float]]:
    """Canvas -> samples a second with few assets and with many, and their ratio."""
    rows = {}
    for canvas, samples in LARGER.items():
        size = f"size=[{canvas.replace('x', ',')}]"
        rates = [
            bench.rate(["source=assets", f"source.root={root}", size, *PAIRS], samples)
            for root in (few, many)
        ]
        rows[canvas] = {"few": rates[0], "many": rates[1], "ratio": rates[1] / rates[0]}
    return rows


def _decode(paths: Sequence[Path]) -> None:
    for path in paths:
        with Image.open(path) as image:
            image.load()


def decoding(root: Path) -> float:
    """The seconds that two processes take to decode each file once in full."""
    paths = sorted(path for folder in ("bg", "fg") for path in (root / folder).iterdir())
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        pool.map(_decode, [paths[:WORKERS]] * WORKERS)
        start = time.perf_counter()
        pool.map(_decode, [paths[first : first + 8] for first in range(0, len(paths), 8)], 1)
        return time.perf_counter() - start


def filling(bench: Bench, many: Path) -> dict[str, float]:
    """Filling an empty store beside decoding, and a second start; starts of processes apart."""
    words = ["source=assets", f"source.root={many}", *PAIRS, "samples=1", "runner.workers=1"]

    def once() -> float:
        bench.empty()
        first = bench.seconds(words)
        return first - bench.seconds(words)

    fill = bench.median(once)
    decode = bench.median(lambda: decoding(many))
    return {
        "fill_s": fill,
        "decode_s": decode,
        "ratio": fill / decode,
        "second_start_s": bench.median(lambda: bench.seconds(words)),
    }


def rooms(bench: Bench, before: Path | None) -> dict[str, float]:
    """Rooms with an empty store and with a filled one, beside an earlier version."""
    many = ["source.rooms=500", "samples=4000", f"runner.workers={WORKERS}", "progress=none"]
    demo = ["progress=none"]

    def anew(words: Sequence[str]) -> float:
        bench.empty()
        return bench.seconds(words)

    row = {"demo_s": bench.median(lambda: anew(demo))}
    row["demo_with_rooms_stored_s"] = bench.median(lambda: bench.seconds(demo))
    row["rooms_500_s"] = anew(many)
    if before is not None:
        row["demo_before_s"] = bench.median(lambda: bench.seconds(demo, checkout=before))
        # Minutes, so once.
        row["rooms_500_before_s"] = bench.seconds(many, checkout=before)
    return row


def main() -> None:
    """Measure all rows, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=Path, required=True)
    parser.add_argument("--many", type=Path, required=True)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.runs)
        result: dict[str, object] = {"machine": machine_info()}
        result["pairs"] = pairs(bench, options.few.absolute(), options.many.absolute())
        result["filling"] = filling(bench, options.many.absolute())
        result["rooms"] = rooms(bench, options.before)
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
