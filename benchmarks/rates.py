"""How fast samples are made at the sizes that people use, beside their encoders and a rival.

    python -m benchmarks.rates --assets DIR [--many DIR] [--before CHECKOUT] [--json FILE]
    python -m benchmarks.rates --table

Makes a collection of 1,540 photographs from the assets (`--many` takes one that is made), installs
vision-synthesis into a scratch environment, and measures all rows one after another, each `--runs`
times in turn. A rate is taken between two numbers of samples of the same run with two workers, so
that starts fall out; beside it, the encode station alone encodes the run's own samples in two
processes. before: a checkout of 0.1.0, whose encode station is measured as well. `--table` writes
the tables of docs/performance.md from benchmarks/rates.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.collection import make_collection
from benchmarks.throughput import original_loop
from depthmask.concurrency import cores, machine_info

HERE = Path(__file__).parent
RESULT, PAGE = HERE / "rates.json", HERE.parent / "docs" / "performance.md"
START, END = "<!-- made by python -m benchmarks.rates --table -->", "<!-- end -->"
WORKERS = 2
RIVAL = "vision-synthesis==0.1.0"
SCENE = (
    "placement=ground",
    "blend=feather",
    "blend.match=0.5",
    "blend.shadow=0.5",
    "encode.labels=coco",
)


@dataclass(frozen=True)
class Row:
    """A configuration to measure.

    samples: the two numbers between which the rate is taken. alone: how many samples the encode
    station takes in turn. many: over the collection too.
    """

    name: str
    words: tuple[str, ...]
    samples: tuple[int, int]
    alone: int
    many: bool = False


def _scenes(size: str, objects: str, samples: tuple[int, int], alone: int) -> Row:
    height, width = size.split("x")
    many = "s" if objects != "1" else ""
    words = (*SCENE, "depth=layered", f"size=[{height},{width}]", f"objects={objects}")
    shown = objects.strip("[]").replace(",", " to ")
    return Row(f"{size} scenes, {shown} object{many}", words, samples, alone)


_LIKE_ORIGINAL = "160x160 pairs, quality 50"
ROWS = (
    Row(_LIKE_ORIGINAL, ("+preset=pairs", "encode.quality=50"), (8_000, 24_000), 512),
    Row("160x160 pairs", ("+preset=pairs",), (8_000, 24_000), 512, many=True),
    Row("160x160 layered", ("depth=layered",), (4_000, 12_000), 512),
    Row("160x160 layered, 4 objects", ("depth=layered", "objects=4"), (4_000, 12_000), 512),
    Row("480x640 pairs", ("+preset=pairs", "size=[480,640]"), (4_000, 8_000), 96, many=True),
    Row("480x640 pairs, 4 objects", ("+preset=pairs", "size=[480,640]", "objects=4"),
        (2_000, 5_000), 96),
    _scenes("480x640", "1", (400, 1_600), 96),
    _scenes("480x640", "4", (400, 1_000), 96),
    _scenes("480x640", "[1,4]", (400, 1_200), 96),
    Row("1024x1024 pairs", ("+preset=pairs", "size=[1024,1024]"), (800, 2_000), 32),
    _scenes("1024x1024", "1", (200, 400), 32),
    _scenes("1024x1024", "4", (200, 400), 32),
    _scenes("1024x1024", "[1,4]", (200, 400), 32),
)  # fmt: skip


class Bench:
    """A scratch folder with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {**os.environ, "DEPTHMASK_CACHE": str(folder / "cache")}

    def seconds(self, words: Sequence[str], samples: int, workers: int = WORKERS) -> float:
        """The wall time of a run into a new folder, which is left there."""
        output = self._folder / "out"
        shutil.rmtree(output, ignore_errors=True)
        command = [sys.executable, "-m", "depthmask", *words, "progress=none"]
        command += [f"samples={samples}", f"runner.workers={workers}", f"output={output}"]
        start = time.perf_counter()
        subprocess.run(command, check=True, env=self._environment, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    def rate(self, words: Sequence[str], samples: tuple[int, int], workers: int = WORKERS) -> float:
        """Samples a second, between two numbers of samples."""
        few, many = samples
        # Both numbers are whole rounds of shards.
        words = [*words, f"shard_size={few // (2 * workers)}"]
        shorter = self.seconds(words, few, workers)
        return (many - few) / (self.seconds(words, many, workers) - shorter)

    def stations(self) -> dict[str, float]:
        """Of the last run: milliseconds of a worker for each sample, by station."""
        total: Counter[str] = Counter()
        samples = 0
        for path in (self._folder / "out" / "records").glob("*.json"):
            record = json.loads(path.read_text())
            total.update(record["seconds"])
            samples += record["stop"] - record["start"]
        return {name: 1000 * seconds / samples for name, seconds in total.items()}

    def covered(self) -> float:
        """Of the last run: the share of pixels that objects cover."""
        info = json.loads((self._folder / "out" / "dataset.json").read_text())
        (share,) = info["statistics"]["mask"]["mean"]
        return float(share)

    def alone(self, words: Sequence[str], count: int, checkout: Path = HERE.parent) -> float:
        """Samples a second of the encode station alone, in all workers together."""
        command = [sys.executable, str(HERE / "encode_alone.py"), str(count), *words]
        environment = {**self._environment, "PYTHONPATH": str(checkout)}
        processes = [
            subprocess.Popen(command, env=environment, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(WORKERS)
        ]  # fmt: skip
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"{command} failed")
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        # Read only now, so that none waits for another.
        return sum(float(process.communicate()[0]) for process in processes)


def measure_row(
    bench: Bench, row: Row, roots: dict[str, Path], before: Path | None, runs: int
) -> dict[str, Any]:
    """The medians of one row: rates, the encode station alone, and the time of each station.

    The encode station of the earlier version is measured in the first round only.
    """
    words = {name: [*row.words, "source=assets", f"source.root={root}"]
             for name, root in roots.items()}  # fmt: skip
    for command in words.values():
        # Stores what a first run would make.
        bench.seconds(command, row.samples[0])
    rounds: list[dict[str, float]] = []
    for _ in range(runs):
        one = {name: bench.rate(command, row.samples) for name, command in words.items()}
        stations = bench.stations()
        one["alone"] = bench.alone(words["few"], row.alone)
        one["share"] = one["few"] / one["alone"]
        if before is not None and not rounds:
            one["alone_before"] = bench.alone(words["few"], row.alone, before)
        if "many" in one:
            one["many_share"] = one["many"] / one["few"]
        rounds.append(one)
    medians = {
        name: statistics.median(one[name] for one in rounds if name in one) for name in rounds[0]
    }
    return {"row": row.name, **medians, "stations_ms": stations}


def measure_original(folder: Path, few: Path, runs: int) -> float:
    """Pairs a second of the loop of DepthMaskDataset's notebook, in one process."""
    prepared = folder / "prepared"
    command = [sys.executable, "-m", "depthmask", "prepare", f"source.root={few}"]
    subprocess.run([*command, f"output={prepared}"], check=True, stdout=subprocess.DEVNULL)
    return statistics.median(original_loop(prepared, 1000) for _ in range(runs))


def measure_rival(bench: Bench, folder: Path, few: Path, runs: int) -> dict[str, float]:
    """Scenes a second in one process each, without depth, and the shares of covered pixels."""
    venv.create(folder / "rival", with_pip=True)
    python = folder / "rival" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", RIVAL], check=True)
    words = [*SCENE, "depth=none", "size=[480,640]", "objects=[1,4]",
             "source=assets", f"source.root={few}"]  # fmt: skip
    bench.seconds(words, 100, 1)
    rounds = []
    for _ in range(runs):
        ours = bench.rate(words, (300, 900), 1)
        command = [str(python), str(HERE / "rival.py"), str(few), "200"]
        theirs = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        rounds.append({"ours": ours, "theirs": theirs["rate"], "times": ours / theirs["rate"],
                       "their_covered": theirs["covered"]})  # fmt: skip
    medians = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    return {**medians, "our_covered": bench.covered()}


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All rows, in a scratch folder."""
    with tempfile.TemporaryDirectory() as name:
        folder, few = Path(name), options.assets.absolute()
        many = options.many or make_collection(few, folder / "many")
        bench = Bench(folder)
        rows = []
        for row in ROWS:
            if options.only not in row.name:
                continue
            roots = {"few": few, "many": many.absolute()} if row.many else {"few": few}
            rows.append(measure_row(bench, row, roots, options.before, options.runs))
            print(json.dumps(rows[-1]), flush=True)
        result = {"machine": machine(), "runs": options.runs, "rows": rows}
        if not options.only:
            result["original"] = measure_original(folder, few, options.runs)
            result["rival"] = measure_rival(bench, folder, few, options.runs)
        return result


def machine() -> dict[str, Any]:
    """The processor, its cores, and Python with its platform."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {"processor": names[0], "cores": cores(), "python": machine_info()}


def tables(result: dict[str, Any]) -> str:
    """The tables of docs/performance.md."""
    machine = result["machine"]
    lines = [
        START,
        "",
        f"On {machine['cores']} cores ({machine['processor']}), two workers, medians of "
        f"{result['runs']}:",
        "",
        "| over 100 backgrounds and 100 cut-outs | samples/s | of the encoders alone | "
        "over 1,540 photographs |",
        "|---|---|---|---|",
        *map(_line, result["rows"]),
        "",
        "Scenes have `placement=ground`, `blend=feather` with `match` and `shadow`, COCO labels "
        "and layered depth.",
        "",
        _beside_original(result),
        "",
        _beside(result["rival"]),
        "",
        END,
    ]
    return "\n".join(lines)


def _beside_original(result: dict[str, Any]) -> str:
    """The sentence about the original."""
    loop = result["original"]
    (ours,) = (row["few"] for row in result["rows"] if row["row"] == _LIKE_ORIGINAL)
    return (
        f"The loop of DepthMaskDataset's notebook, one process, makes {_rounded(loop)} pairs of "
        f"160x160 a second with quality 50; depthmask makes {ours / loop:.0f} times as many."
    )


def _beside(rival: dict[str, float]) -> str:
    """The sentence about the rival."""
    return (
        f"Beside {RIVAL.replace('==', ' ')}, one process each, scenes of 480x640 without depth: "
        f"{rival['ours']:.0f} scenes/s and {rival['theirs']:.0f}, {rival['times']:.1f} times as "
        f"many. Objects cover {rival['our_covered']:.0%} of the pixels, and "
        f"{rival['their_covered']:.0%}."
    )


def _line(row: dict[str, Any]) -> str:
    many = f"{row['many_share']:.0%} of the rate" if "many_share" in row else ""
    return f"| {row['row']} | {_rounded(row['few'])} | {row['share']:.0%} | {many} |"


def _rounded(rate: float) -> str:
    """Two digits."""
    digits = len(str(int(rate)))
    return f"{round(rate, 2 - digits):,.0f}" if digits > 1 else f"{rate:.1f}"


def write_tables(page: Path, result: dict[str, Any]) -> None:
    """Replace the tables of the page."""
    head, _, rest = page.read_text().partition(START)
    _, _, tail = rest.partition(END)
    page.write_text(head + tables(result) + tail)


def main() -> None:
    """Measure all rows and print them, or write the tables of the docs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assets", type=Path, help="folder with bg/ and fg/")
    parser.add_argument("--many", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="rows whose names contain this")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        write_tables(PAGE, json.loads(RESULT.read_text()))
        return
    if options.assets is None:
        parser.error("--assets DIR is missing: a folder with bg/ and fg/")
    result = measure(options)
    print(json.dumps({name: result.get(name) for name in ("original", "rival")}))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
