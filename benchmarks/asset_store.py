"""What the asset store saves: many photographs beside few, filling it, second starts, and rooms.

    python -m benchmarks.asset_store --few DIR [--many DIR] [--before CHECKOUT] [--json FILE]
    python -m benchmarks.asset_store --table

few: a folder with a hundred backgrounds and cut-outs of 160x160. many: a collection of 1,540
photographs, which is made otherwise. before: a checkout of an earlier version, for the rows with
rooms. All figures are of whole processes, one after another, medians of `--runs` where runs are
short; rates are taken between two numbers of samples, so that starts fall out. Each row is printed
as soon as it is known. All rows take a quarter of an hour on 2 cores, and 15 GB of disk. `--only`
takes the names of some rows; `--table` writes the table of docs/performance.md.
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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image

from benchmarks.collection import make_collection
from depthmask.concurrency import machine_info

HERE = Path(__file__).parent
RESULT, PAGE = HERE / "asset_store.json", HERE.parent / "docs" / "performance.md"
START, END = "<!-- made by python -m benchmarks.asset_store --table -->", "<!-- end of store -->"
WORKERS = 2
WORDS = (f"runner.workers={WORKERS}", "progress=none")
PAIRS = ("+preset=pairs", *WORDS)
RANGES = {"160x160": (8_000, 24_000), "480x640": (4_000, 8_000)}
"""Canvas -> the two numbers of samples between which a rate is taken, as in benchmarks/rates.py."""
SMALL_FILES = 100_000
MEMORY_PHOTOS, MEMORY_GB, MEMORY_SAMPLES = (500, 1_540, 10_000), 1, 2_000
_POLL_S = 0.05

Row = dict[str, float]


def _size(canvas: str) -> str:
    return f"size=[{canvas.replace('x', ',')}]"


def _anonymous_bytes(session: int) -> int:
    """Anonymous memory of all processes of a session, now."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        # It may end meanwhile.
        with suppress(OSError, IndexError):
            # After the name, which may have blanks: state, parent, group, session.
            if int((process / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                status = (process / "status").read_text()
                total += int(status.partition("RssAnon:")[2].split()[0]) << 10
    return total


@dataclass
class Bench:
    """A scratch folder with stores of its own, of which the newest is used.

    few, many: folders of assets. before: a checkout. runs: how often short runs are repeated.
    """

    folder: Path
    few: Path
    many: Path
    before: Path | None
    runs: int
    _stores: int = field(default=0, init=False)

    @property
    def output(self) -> Path:
        """The dataset of the last run."""
        return self.folder / "out"

    def begin_empty(self) -> None:
        """Use a new store; the one before is removed."""
        shutil.rmtree(self._store, ignore_errors=True)
        self._stores += 1

    @property
    def _store(self) -> Path:
        return self.folder / f"cache-{self._stores}"

    def start(self, words: Sequence[str], checkout: Path = HERE.parent) -> subprocess.Popen[bytes]:
        """Start a run."""
        environment = {**os.environ, "DEPTHMASK_CACHE": str(self._store)}
        command = [sys.executable, "-m", "depthmask", *words, f"output={self.output}"]
        # From the folder of the checkout, whose package comes before an installed one; in a session
        # of its own, by which its processes are known.
        return subprocess.Popen(
            command,
            env=environment,
            cwd=checkout,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def seconds(
        self, words: Sequence[str], *, checkout: Path = HERE.parent, again: bool = False
    ) -> float:
        """The wall time of a run into a new folder; again: into that of the last run."""
        if not again:
            shutil.rmtree(self.output, ignore_errors=True)
        start = time.perf_counter()
        process = self.start(words, checkout)
        if process.wait():
            raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
        return time.perf_counter() - start

    def anew(self, words: Sequence[str]) -> float:
        """The wall time of a run with an empty store."""
        self.begin_empty()
        return self.seconds(words)

    def peak_bytes(self, words: Sequence[str]) -> int:
        """The most anonymous memory of all processes of a run together."""
        shutil.rmtree(self.output, ignore_errors=True)
        process, most = self.start(words), 0
        while process.poll() is None:
            most = max(most, _anonymous_bytes(process.pid))
            time.sleep(_POLL_S)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
        return most

    def rate(self, words: Sequence[str], few: int, many: int) -> float:
        """Samples a second, between two numbers of samples."""
        # Both numbers are whole rounds of shards.
        words = [*words, f"shard_size={few // (2 * WORKERS)}"]
        shorter = self.seconds([*words, f"samples={few}"])
        return (many - few) / (self.seconds([*words, f"samples={many}"]) - shorter)

    def median(self, measure: Callable[[], float]) -> float:
        """The median of several measurements."""
        return statistics.median(measure() for _ in range(self.runs))


def _medians(rows: Iterable[Mapping[str, float]]) -> Row:
    """The median of each column."""
    rounds = list(rows)
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def pairs(bench: Bench, canvas: str) -> Row:
    """Samples a second with few assets and with many, and their ratio; the store is filled."""
    commands = [
        ["source=assets", f"source.root={root}", _size(canvas), *PAIRS]
        for root in (bench.few, bench.many)
    ]
    for words in commands:
        bench.seconds([*words, f"samples={RANGES[canvas][0]}"])

    def once() -> Row:
        # In turn, since the speed of a machine may drift.
        few, many = (bench.rate(words, *RANGES[canvas]) for words in commands)
        return {"few": few, "many": many, "ratio": many / few}

    return _medians(once() for _ in range(bench.runs))


def _decode(path: Path) -> None:
    """Decode a file in full, as the package does it."""
    if path.suffix == ".jpg":
        simplejpeg.decode_jpeg(path.read_bytes())
    else:
        with Image.open(path) as image:
            image.load()


def _decode_all(paths: Sequence[Path]) -> None:
    for path in paths:
        _decode(path)


def decoding(root: Path) -> float:
    """The seconds that two processes take to decode each file once in full."""
    paths = sorted(path for folder in ("bg", "fg") for path in (root / folder).iterdir())
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        pool.map(_decode_all, [paths[:WORKERS]] * WORKERS)
        start = time.perf_counter()
        pool.map(_decode_all, [paths[first : first + 8] for first in range(0, len(paths), 8)], 1)
        return time.perf_counter() - start


def filling(bench: Bench, canvas: str) -> Row:
    """Filling an empty store beside decoding, and second starts; starts of processes apart.

    A second start makes a first sample, or says that nothing is left to do.
    """
    words = ["source=assets", f"source.root={bench.many}", _size(canvas), *PAIRS]
    words += ["samples=1", "runner.workers=1"]

    def once() -> Row:
        first, second = bench.anew(words), bench.seconds(words)
        nothing_left = bench.seconds(words, again=True)
        fill, decode = first - second, decoding(bench.many)
        return {
            "fill_s": fill,
            "decode_s": decode,
            "ratio": fill / decode,
            "second_start_s": second,
            "nothing_left_s": nothing_left,
        }

    return _medians(once() for _ in range(bench.runs))


def _with_comment(jpeg: bytes, number: int) -> bytes:
    """The same picture in a file of other content."""
    return jpeg[:2] + b"\xff\xfe\x00\x0a%08d" % number + jpeg[2:]


def _copies(bench: Bench, folder: Path, photos: Sequence[bytes], count: int) -> Path:
    """A folder of so many photographs, each of other content, and the few cut-outs."""
    (folder / "bg").mkdir(parents=True)
    shutil.copytree(bench.few / "fg", folder / "fg")
    for number in range(count):
        content = _with_comment(photos[number % len(photos)], number)
        (folder / "bg" / f"{number:06d}.jpg").write_bytes(content)
    return folder


def many_files(bench: Bench) -> Row:
    """A first and a second start over very many small files."""
    tiny = [
        simplejpeg.encode_jpeg(np.full((16, 16, 3), level, np.uint8), colorspace="RGB")
        for level in range(256)
    ]
    root = _copies(bench, bench.folder / "small", tiny, SMALL_FILES)
    words = ["source=assets", f"source.root={root}", "size=[16,16]", *PAIRS]
    words += ["samples=1", "runner.workers=1"]
    first, second = bench.anew(words), bench.seconds(words)
    nothing_left = bench.seconds(words, again=True)
    shutil.rmtree(root)
    return {"first_start_s": first, "second_start_s": second, "nothing_left_s": nothing_left}


def memory(bench: Bench, canvas: str) -> Row:
    """Peak anonymous memory of all processes for several numbers of photographs, in GiB.

    Each begins with an empty store, which is kept small, since it would take 10 GB.
    """
    photos = [path.read_bytes() for path in sorted((bench.many / "bg").glob("photo*"))]
    words = [_size(canvas), *PAIRS, "source=assets"]
    # All workers have shards.
    words += [f"samples={MEMORY_SAMPLES}", f"shard_size={MEMORY_SAMPLES // (2 * WORKERS)}"]
    words += ["runner.store_gb=2", f"runner.memory_gb={MEMORY_GB}"]
    row: Row = {"memory_gb": MEMORY_GB}
    for count in MEMORY_PHOTOS:
        root = _copies(bench, bench.folder / f"photos-{count}", photos, count)
        bench.begin_empty()
        peak = bench.peak_bytes([*words, f"source.root={root}"])
        row[f"photos_{count}"] = peak / (1 << 30)
        shutil.rmtree(root)
    return row


def rooms_500(bench: Bench) -> Row:
    """4,000 samples of 500 rooms with an empty store, and a second dataset with the same rooms."""
    words = ["source.rooms=500", "samples=4000", *WORDS]
    row = {"empty_s": bench.anew(words), "second_s": bench.seconds(words)}
    if bench.before is not None:
        # Minutes; it casts all rooms for a second dataset again, so once.
        before = bench.seconds(_known_before(words), checkout=bench.before)
        row |= {
            "before_s": before,
            "times": before / row["empty_s"],
            "second_times": before / row["second_s"],
        }
    return row


def demo(bench: Bench) -> Row:
    """The demo with an empty store, and with its rooms stored."""
    words = ["progress=none"]
    row = {"empty_s": bench.median(lambda: bench.anew(words))}
    row["second_s"] = bench.median(lambda: bench.seconds(words))
    if bench.before is not None:
        before, known = bench.before, _known_before(words)
        row["before_s"] = bench.median(lambda: bench.seconds(known, checkout=before))
        row["times"] = row["before_s"] / row["empty_s"]
    return row


def _known_before(words: Sequence[str]) -> list[str]:
    """The words without a setting that earlier versions do not know, and that decides no sample."""
    return [word for word in words if not word.startswith("progress=")]


ROWS: dict[str, Callable[[Bench], Row]] = {
    **{f"pairs {canvas}": partial(pairs, canvas=canvas) for canvas in RANGES},
    **{f"filling {canvas}": partial(filling, canvas=canvas) for canvas in RANGES},
    "small files": many_files,
    **{f"memory {canvas}": partial(memory, canvas=canvas) for canvas in RANGES},
    "demo": demo,
    "500 rooms": rooms_500,
}


def measure(options: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    """Yield the rows with their names, in a scratch folder."""
    with tempfile.TemporaryDirectory() as name:
        folder, few = Path(name), options.few.absolute()
        many = options.many.absolute() if options.many else make_collection(few, folder / "many")
        bench = Bench(folder, few, many, options.before, options.runs)
        for row, work in ROWS.items():
            if any(one in row for one in options.only):
                yield row, work(bench)


def table(result: Mapping[str, Any]) -> str:
    """The table of docs/performance.md."""
    rows = result["rows"]
    lines = [
        START,
        "",
        "| 1,540 photographs of 0.3 and 12 megapixels, 600 cut-outs, two processes | |",
        "|---|---|",
    ]
    for canvas, (first, last) in RANGES.items():
        share = rows[f"pairs {canvas}"]["ratio"]
        lines.append(
            f"| pairs of {canvas} between {first:,} and {last:,} samples, beside 100 backgrounds "
            f"and 100 cut-outs of 160x160 | {share:.0%} of the rate |"
        )
    for canvas in RANGES:
        ratio = rows[f"filling {canvas}"]["ratio"]
        lines.append(
            f"| to fill the empty store for {canvas}, beside decoding each file once | "
            f"{ratio:.2f} times as long |"
        )
    filled, small = rows["filling 160x160"], rows["small files"]
    lines.append(
        f"| a second start; one that has nothing left to do | "
        f"{filled['second_start_s']:.1f} s; {filled['nothing_left_s']:.1f} s |"
    )
    lines.append(
        f"| the same over {SMALL_FILES:,} small files | "
        f"{small['second_start_s']:.1f} s; {small['nothing_left_s']:.1f} s |"
    )
    lines += map(partial(_memory_line, rows), RANGES)
    return "\n".join([*lines, "", END])


def _memory_line(rows: Mapping[str, Row], canvas: str) -> str:
    row = rows[f"memory {canvas}"]
    counts = ", ".join(f"{count:,}" for count in MEMORY_PHOTOS)
    peaks = ", ".join(f"{row[f'photos_{count}']:.2f}" for count in MEMORY_PHOTOS)
    return (
        f"| most memory of all processes with `runner.memory_gb={MEMORY_GB}`, {canvas}, "
        f"over {counts} photographs | {peaks} GiB |"
    )


def write_table(page: Path, result: Mapping[str, Any]) -> None:
    """Replace the table of the page."""
    head, _, rest = page.read_text().partition(START)
    _, _, tail = rest.partition(END)
    page.write_text(head + table(result) + tail)


def main() -> None:
    """Measure rows and print them, or write the table of the docs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--few", type=Path, help="folder with bg/ and fg/")
    parser.add_argument("--many", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[""], help="rows whose names contain one")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        write_table(PAGE, json.loads(RESULT.read_text()))
        return
    if options.few is None:
        parser.error("--few DIR is missing: a folder with bg/ and fg/")
    result: dict[str, Any] = {"machine": machine_info(), "runs": options.runs, "rows": {}}
    begun = time.perf_counter()
    for name, row in measure(options):
        result["rows"][name] = row
        print(f"{time.perf_counter() - begun:4.0f} s", name, json.dumps(row), flush=True)
        # After each row, so that an interrupted run keeps what it has.
        if options.json:
            options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
