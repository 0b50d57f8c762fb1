"""How fast `verify` is: many small shards, and large ones beside two `sha256sum`.

Medians of three rounds with all files in memory, which has to hold them.

python benchmarks/verify.py                        # 100,000 small shards, 100 of 64 MB: 7 GB
python benchmarks/verify.py --small 10000 --large 10
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import depthmask
from depthmask.plan.layout import shard_name
from depthmask.storage.dataset_info import Manifest
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed, write_sealed
from depthmask.storage.records import Records
from depthmask.storage.verify import verify

_LARGE = 64 << 20
"""Bytes of a large shard."""
_ROUNDS = 3


def enlarge(folder: Path, shards: int, shard_bytes: int | None) -> None:
    """Give a dataset of one sample many shards, all with the content of its only one.

    shard_bytes: zeros are appended to each shard up to this size; None appends none.
    """
    output, records = location(folder), Records(location(folder))
    plan = read_sealed(output / "plan.json")
    assert plan is not None
    plan["config"]["samples"] = shards
    identity, manifest = DatasetIdentity.of_plan(plan), Manifest()
    first, info = records.require(shard_name("train", 0)), depthmask.open(folder).metadata
    content = (folder / "shards" / first.files[0].name).read_bytes()
    content = content.ljust(shard_bytes or 0, b"\0")
    digest = hashlib.sha256(content).hexdigest()
    for number in range(shards):
        name = shard_name("train", number)
        file = replace(first.files[0], name=f"{name}.tar", bytes=len(content), sha256=digest)
        (folder / "shards" / file.name).write_bytes(content)
        start, stop = number, number + 1
        record = replace(first, shard=name, lineage=identity.lineage, start=start, stop=stop)
        records.write(replace(record, files=(file,)))
        manifest.add([file])
    write_sealed(
        output / "plan.json", {**identity.description, "fingerprint": identity.fingerprint}
    )
    info = replace(info, fingerprint=identity.fingerprint, samples=shards, shards=shards)
    info = replace(info, bytes=shards * len(content), manifest_sha256=manifest.sha256)
    splits = {"train": replace(info.splits["train"], samples=shards)}
    write_sealed(output / "dataset.json", replace(info, splits=splits).as_json())


def medians(*works: Callable[[], None]) -> list[float]:
    """The median seconds of three rounds for each piece of work, one after the other.

    A round before them has the files in memory.
    """
    rounds = [[_seconds(work) for work in works] for _ in range(1 + _ROUNDS)]
    return [statistics.median(taken) for taken in zip(*rounds[1:], strict=True)]


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def check(folder: Path) -> None:
    """Verify a dataset that is as published."""
    assert verify(folder) == []


def sha256sums(folder: Path) -> None:
    """Hash all shards, half of them in each of two processes."""
    files = sorted(str(path) for path in (folder / "shards").iterdir())
    halves = [
        subprocess.Popen(["sha256sum", *half], stdout=subprocess.DEVNULL)
        for half in (files[::2], files[1::2])
    ]
    assert [half.wait() for half in halves] == [0, 0]


def main() -> None:
    """Make both datasets and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=100_000, help="number of small shards")
    parser.add_argument("--large", type=int, default=100, help="number of shards of 64 MB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        # Only made to be read at once.
        with patch("os.fsync"):
            words = ["source.rooms=1", "source.furniture=1", "size=[32,32]", "shard_size=1"]
            depthmask.make([*words, "samples=1", f"output={scratch}/small"], progress="none")
            shutil.copytree(f"{scratch}/small", f"{scratch}/large")
            enlarge(Path(scratch, "small"), options.small, None)
            enlarge(Path(scratch, "large"), options.large, _LARGE)
        (small,) = medians(lambda: check(Path(scratch, "small")))
        print(f"{options.small:,} small shards: {small:.1f} s, {options.small / small:,.0f}/s")
        large = Path(scratch, "large")
        ours, theirs = medians(lambda: check(large), lambda: sha256sums(large))
        rates = (options.large * _LARGE / 1e6 / one for one in (ours, theirs))
        print(
            f"{options.large:,} shards of {_LARGE / 1e6:.0f} MB: "
            "{:,.0f} MB/s; two sha256sum: {:,.0f} MB/s; {:.0%}".format(*rates, theirs / ours)
        )
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
