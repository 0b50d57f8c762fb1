"""What an object store costs against a folder: samples a second, requests and bytes.

    python benchmarks/object_store.py --assets DIR [--samples 10000] [--json result.json]

Runs into a folder and into an S3 server on this machine take turns. The server needs processor time
that a real one would spend elsewhere, so it is taken off the wall time: one worker waits while the
server works. Reading takes turns in the same way.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.support.s3_server import Server, s3_server

PAIRS = ("+preset=pairs", "placement=original", "encode.quality=50", "runner.workers=1")
READ = 1000


def seconds_of_run(assets: Path, samples: int, output: str) -> float:
    """Wall time of the whole command."""
    words = [f"source.root={assets}", f"samples={samples}", f"output={output}", *PAIRS]
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "depthmask", "source=assets", *words],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def seconds_of_reading(output: str) -> float:
    """Of samples at random, the first of each shard before."""
    import depthmask

    dataset = depthmask.open(output)
    for first in range(0, len(dataset), dataset.info["shard_size"]):
        dataset.encoded(first)
    order = np.random.default_rng(0).integers(0, len(dataset), READ).tolist()
    start = time.perf_counter()
    for index in order:
        dataset.encoded(index)
    return time.perf_counter() - start


def bytes_with_depth(assets: Path, samples: int = 1000) -> float:
    """Of pairs with a layered depth map of 160x160 as a 16-bit PNG."""
    words = ["source=assets", f"source.root={assets}", *PAIRS[1:], f"samples={samples}"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "depthmask", *words, f"output={folder}/out"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        return json.loads(Path(folder, "out", "dataset.json").read_text())["bytes"] / samples


def hashing(size: int = 1 << 28) -> float:
    """Bytes a second of sha256, of processor time."""
    content = bytes(size)
    start = time.process_time()
    hashlib.sha256(content)
    return size / (time.process_time() - start)


def rate_of_records(output: str) -> float:
    """Records a second of processor time, read and checked as at the end of a run."""
    import depthmask

    dataset = depthmask.open(output)
    count = len(list(dataset.records()))
    start = time.process_time()
    for _ in range(10):
        list(dataset.records())
    return 10 * count / (time.process_time() - start)


def measure(assets: Path, samples: int, runs: int, server: Server) -> dict[str, float]:
    """Medians of so many turns."""
    local, remote, less, reading, reading_less = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs):
            local.append(seconds_of_run(assets, samples, f"{folder}/{number}"))
            before, requests = server.cpu_seconds, server.requests
            remote.append(seconds_of_run(assets, samples, f"s3://bucket/{number}"))
            less.append(remote[-1] - (server.cpu_seconds - before))
            requests = server.requests - requests
            before = server.cpu_seconds
            reading.append(seconds_of_reading(f"s3://bucket/{number}"))
            reading_less.append(reading[-1] - (server.cpu_seconds - before))
        info = json.loads(Path(folder, "0", "dataset.json").read_text())
        records = [path.stat().st_size for path in Path(folder, "0", "records").iterdir()]
        records_per_s = rate_of_records(f"{folder}/0")
    shards = info["shards"]
    return {
        "samples": samples,
        "shard size": info["shard_size"],
        "samples/s, folder": samples / statistics.median(local),
        "samples/s, s3": samples / statistics.median(remote),
        "samples/s, s3 less the server's time": samples / statistics.median(less),
        "ratio": statistics.median(map(float.__truediv__, local, less)),
        "read/s at random, s3": READ / statistics.median(reading),
        "read/s at random, s3 less the server's time": READ / statistics.median(reading_less),
        "shard bytes": info["bytes"] / shards,
        "record bytes": statistics.mean(records),
        "records/s": records_per_s,
        "bytes a sample, with depth": bytes_with_depth(assets),
        "bytes/s hashed by a core": hashing(),
        "requests of a run": sum(requests.values()),
    }


def main() -> int:
    """Print what was found; write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True, help="folder with bg/ and fg/")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with s3_server() as server:
        found = measure(options.assets, options.samples, options.runs, server)
    for name, value in found.items():
        print(f"{name:<46}{value:>14,.2f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
