"""How fast pairs of image and mask are made, against the original's loop and the encoders' limit.

    python benchmarks/throughput.py --assets DIR [--samples 40000] [--json result.json]

All figures are measured one after another in one run, as medians of `--runs` whole processes:
the loop of DepthMaskDataset's notebook written anew (Pillow: open, paste, two JPEGs, zip),
the encoders alone over ready composites, `depthmask` with each writer, with 1 and 2 workers, with
depth, its start-up, its peak memory, and reading the result back.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

KINDS = ("bg", "fg", "fg_mask")
PAIRS = ("+preset=pairs", "placement=original", "encode.quality=50")


def original_loop(assets: Path, pairs: int) -> float:
    """Pairs per second of the loop of `OverlayingForegroundOnBackground.ipynb`, in this process.

    https://github.com/genigarus/DepthMaskDataset; written anew with its steps: cut-out and mask are
    opened for every two pairs, the background for every pair, both pictures saved as files, these
    copied into a zip. Its progress bar and labels are left out.
    """
    rng = np.random.default_rng(0)
    backgrounds, foregrounds, masks = (sorted((assets / one).iterdir()) for one in KINDS)
    done, start = 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(f"{folder}/o.zip", "w") as zipped:
        files = [f"{folder}/fg_bg.jpg", f"{folder}/fg_bg_mask.jpg"]
        for background, (number, foreground), _ in itertools.product(
            backgrounds, enumerate(foregrounds), range(20)
        ):
            with Image.open(foreground) as opened, Image.open(masks[number]) as coloured:
                cut_out, mask = opened.convert("RGBA"), coloured.convert("L")
            for flip in (False, True):
                if flip:
                    cut_out = cut_out.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
                    mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
                with Image.open(background) as scene:
                    left, top = (int(one) for one in rng.integers(0, scene.size))
                    place = (left, top)
                    scene.paste(cut_out, place, cut_out)
                    scene.save(files[0], optimize=True, quality=50)
                over = Image.new("L", scene.size)
                over.paste(mask, place, mask)
                over.save(files[1], optimize=True, quality=50)
                for kind, file in zip(("fg_bg", "fg_bg_mask"), files, strict=True):
                    zipped.write(file, f"data/{kind}/{done:06d}.jpg")
                done += 1
                if done == pairs:
                    return done / (time.perf_counter() - start)
    raise ValueError(f"{assets} has fewer than {pairs} pairs")


def encoders_alone(assets: Path, pairs: int, *, strips: bool) -> float:
    """Pairs per second of one core that encodes ready samples and does nothing else.

    strips: as a run does, which codes what is as in the background once; else each picture whole.
    """
    from depthmask.codec.sample import Encoder
    from depthmask.config.compose import compose_root
    from depthmask.engine.from_config import job_from_config
    from depthmask.engine.job import ShardLog

    root = compose_root([*PAIRS, "source=assets", f"source.root={assets}", "samples=504"])
    job = job_from_config(root)
    samples = [sample for batch in job.batches(range(504), ShardLog()) for sample in batch]
    if not strips:
        return _rate(
            pairs, lambda: [root.encode.encode(samples[one % 504]) for one in range(pairs)]
        )
    encoder = Encoder(root.encode)
    batches = [samples[first : first + 8] for first in range(0, 504, 8)]
    return _rate(
        pairs, lambda: [list(encoder.encode(batches[one % 63])) for one in range(pairs // 8)]
    )


COMMAND = (sys.executable, "-m", "depthmask")
# What it would be without the care for crashes: nothing is synced, nothing hashed.
CARELESS = (
    sys.executable,
    "-c",
    """
import hashlib, os, sys
os.fsync = lambda file: None
hashlib.file_digest = lambda file, name: hashlib.new(name)
from depthmask.cli.main import main
sys.exit(main())
""",
)


def whole_process(
    assets: Path, samples: int, *words: str, program: tuple[str, ...] = COMMAND
) -> tuple[float, float]:
    """Samples per second by the wall time of the whole command, and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*program, "source=assets", f"source.root={assets}"]
        start = time.perf_counter()
        process = subprocess.Popen(
            [*command, f"samples={samples}", f"output={folder}/out", *words],
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            raise RuntimeError(f"{' '.join(command)} failed")
        return samples / seconds, usage.ru_maxrss / 1024


def reading(assets: Path, samples: int) -> dict[str, float]:
    """Samples per second read and made at random, streamed by us and by webdataset."""
    import webdataset

    import depthmask
    from depthmask.adapters.webdataset import sample, shards

    settings = ["source=assets", f"source.root={assets}", *PAIRS, f"samples={samples}"]
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out"
        subprocess.run(
            [sys.executable, "-m", "depthmask", *settings, f"output={out}"],
            check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        dataset, virtual = depthmask.open(out), depthmask.virtual(settings)
        order = np.random.default_rng(0).integers(0, samples, samples).tolist()
        stream = webdataset.WebDataset(shards(dataset), shardshuffle=False)
        ways: dict[str, Iterable[object]] = {
            "open()[i] at random": map(dataset.__getitem__, order),
            "open(), streaming": dataset,
            "webdataset, streaming, its decoders": stream.decode("rgb8"),
            "webdataset, streaming, our decoders": stream.map(sample),
            "virtual()[i] at random": map(virtual.__getitem__, order),
            "virtual(), one after another": virtual,
        }
        return {way: _rate(samples, partial(_exhaust, found)) for way, found in ways.items()}


def _exhaust(samples: Iterable[object]) -> None:
    """Look at each and keep none: a gigabyte of them would be timed for its memory."""
    collections.deque(samples, maxlen=0)


def _rate(count: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def depth_maps(assets: Path, count: int = 200) -> dict[str, float]:
    """Maps of 80x80 per second, and bytes of a map, by `np.savez_compressed` and by ours.

    The layered depth of the backgrounds by FastDepth, at the resolution of the original.
    """
    import io

    from depthmask.codec.npz import encode_npz
    from depthmask.codec.planes import to_planes
    from depthmask.codec.sample import to_millimetres
    from depthmask.config.compose import compose_root
    from depthmask.engine.from_config import job_from_config

    words = ["source=assets", f"source.root={assets}", "depth=layered", "geometry=fastdepth"]
    job = job_from_config(compose_root([*words, f"samples={count}", "size=[80,80]"]))
    maps = [depth for index in range(count) if (depth := job.sample(index).depth) is not None]

    def savez(depth: np.ndarray) -> bytes:
        file = io.BytesIO()
        np.savez_compressed(file, output=depth)
        return file.getvalue()

    def compact(depth: np.ndarray) -> bytes:
        return encode_npz({"depth_planes": to_planes(to_millimetres(depth))})

    found = {}
    ways = {"savez": savez, "npz": lambda one: encode_npz({"depth": one}), "compact": compact}
    for name, way in ways.items():
        encoded: list[bytes] = []
        work = partial(encoded.extend, map(way, maps))
        found[f"80x80 depth, {name} [maps/s]"] = _rate(len(maps), work)
        found[f"80x80 depth, {name} [bytes]"] = statistics.mean(map(len, encoded))
    return found


def network(assets: Path, batches: int = 8) -> float:
    """The part of FastDepth's own images/s that a whole shard keeps, start-up left out."""
    from depthmask.config.compose import compose_root
    from depthmask.engine.from_config import job_from_config
    from depthmask.engine.job import Progress
    from depthmask.engine.shard import make_shard
    from depthmask.stages.depth.base import Estimator
    from depthmask.storage.location import location

    words = [*PAIRS, "source=assets", f"source.root={assets}", "depth=fastdepth"]
    with tempfile.TemporaryDirectory() as folder:
        root = compose_root([*words, "samples=100000", f"shard_size={32 * batches}"])
        job = job_from_config(root)
        (Path(folder) / "records").mkdir()
        job = dataclasses.replace(job, output=location(folder))
        assert isinstance(root.depth, Estimator)
        size = root.depth.batch_size
        images = np.stack([job.sample(index).image for index in range(size)])
        # The first has to decode the assets.
        make_shard(job, job.plan.shard(0), Progress())
        shard = job.plan.shard(1)
        alone = _rate(
            len(shard), lambda: [root.depth.estimate(images) for _ in range(len(shard) // size)]
        )
        return _rate(len(shard), lambda: make_shard(job, shard, Progress())) / alone


def planned_memory(assets: Path, samples: int, seconds: float) -> float:
    """Peak memory in MB of a run over so many samples, interrupted after a while."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*PAIRS, "source=assets", f"source.root={assets}", "runner.workers=1"]
        process = subprocess.Popen(
            [*COMMAND, *words, f"samples={samples}", f"output={folder}/out"],
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        return os.wait4(process.pid, 0)[2].ru_maxrss / 1024


def start_up() -> float:
    """Seconds of `--help`."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "depthmask", "--help"], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def measure(assets: Path, samples: int, runs: int) -> dict[str, float]:
    """Every figure, as the median of `runs`."""

    def median(work: Callable[[], float]) -> float:
        return statistics.median(work() for _ in range(runs))

    def rate(*words: str, count: int = samples, program: tuple[str, ...] = COMMAND) -> float:
        return median(lambda: whole_process(assets, count, *words, program=program)[0])

    found = {
        "the original's loop, one process": median(lambda: original_loop(assets, 2000)),
        "encoders alone, one core": median(lambda: encoders_alone(assets, 4000, strips=False)),
        "the same, strips of backgrounds once": median(
            lambda: encoders_alone(assets, 4000, strips=True)
        ),
        "q50, webdataset, 2 workers": rate(*PAIRS, "runner.workers=2"),
        "q50, webdataset, 1 worker": rate(*PAIRS, "runner.workers=1", count=samples // 2),
    }
    found["the same, nothing synced or hashed"] = rate(
        *PAIRS, "runner.workers=1", count=samples // 2, program=CARELESS
    )
    for writer in ("zip", "npz", "folder"):
        found[f"q50, {writer}, 2 workers"] = rate(*PAIRS, f"writer={writer}", "runner.workers=2")
    found["q95, webdataset, 2 workers"] = rate(*PAIRS, "encode.quality=95", "runner.workers=2")
    found["q50 and layered depth PNG, 2 workers"] = rate(
        "placement=original", "encode.quality=50", "runner.workers=2"
    )
    found["start-up, --help [s]"] = median(start_up)
    for count in (samples // 10, samples):
        _, peak = whole_process(assets, count, *PAIRS, "runner.workers=1")
        found[f"peak memory, {count:,} samples [MB]"] = peak
    found["peak memory, 4,000,000 planned, 20 s of them made [MB]"] = planned_memory(
        assets, 4_000_000, 20
    )
    found |= depth_maps(assets)
    found["ratio: a run with fastdepth to the network alone"] = median(lambda: network(assets))
    return {**found, **reading(assets, min(samples, 10_000))}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and its ratios; write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--assets", type=Path, required=True, help="folder with bg/, fg/ and fg_mask/"
    )
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if missing := [kind for kind in KINDS if not (options.assets / kind).is_dir()]:
        make = "python -m depthmask prepare source.root=DIR output=PREPARED"
        parser.error(f"--assets {options.assets}: {missing[0]}/ is missing; `{make}` makes all")
    found = measure(options.assets, options.samples, options.runs)
    made = found["q50, webdataset, 2 workers"]
    found["ratio: 2 workers to 1"] = made / found["q50, webdataset, 1 worker"]
    found["ratio: 1 worker to one that neither syncs nor hashes"] = (
        found["q50, webdataset, 1 worker"] / found["the same, nothing synced or hashed"]
    )
    found["ratio: a worker to the original's loop"] = (
        found["q50, webdataset, 1 worker"] / found["the original's loop, one process"]
    )
    found["ratio: 2 workers to the encoders alone"] = made / 2 / found["encoders alone, one core"]
    for name, value in found.items():
        print(f"{name:<56}{value:>12,.2f}" if value < 100 else f"{name:<56}{value:>12,.0f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
