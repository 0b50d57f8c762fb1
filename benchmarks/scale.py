"""What 10^6, 10^8 and 10^9 samples cost, by the rates in throughput.json and object_store.json.

python benchmarks/scale.py              # the tables of docs/scale.md
python benchmarks/scale.py --write      # into it
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from depthmask.storage.object_store import MOST_CONDITIONAL, PART

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "scale.md"
SAMPLES = (10**6, 10**8, 10**9)
SHARD_SIZE = 10_000
CORES = (2, 64, 1000)


@dataclass(frozen=True)
class Rates:
    """samples_per_s: of one core; record_bytes: of a record for each sample of its shard."""

    samples_per_s: float
    sample_bytes: float
    record_bytes: float
    record_bytes_per_s: float
    hashed_per_s: float

    @classmethod
    def measured(cls) -> dict[str, Rates]:
        """For pairs of image and mask, and for pairs with depth."""
        made = json.loads((HERE / "throughput.json").read_text())
        store = json.loads((HERE / "object_store.json").read_text())
        common = {
            "record_bytes": store["record bytes"] / store["shard size"],
            "record_bytes_per_s": store["record bytes"] * store["records/s"],
            "hashed_per_s": store["bytes/s hashed by a core"],
        }
        return {
            "image and mask": cls(
                made["q50, webdataset, 2 workers"] / 2 * store["ratio"],
                store["shard bytes"] / store["shard size"],
                **common,
            ),
            "with depth": cls(
                made["q50 and layered depth PNG, 2 workers"] / 2 * store["ratio"],
                store["bytes a sample, with depth"],
                **common,
            ),
        }


def cost(samples: int, rates: Rates) -> dict[str, str]:
    """Every row of the table."""
    shards = math.ceil(samples / SHARD_SIZE)
    shard_bytes = SHARD_SIZE * rates.sample_bytes
    # A large file goes up in parts, with a request before and one after them.
    is_whole = shard_bytes <= MOST_CONDITIONAL
    puts = 1 if is_whole else math.ceil(shard_bytes / PART) + 2
    # The lock, and the record at the end; for a large file the lock twice, and the new ETag.
    reads = 2 if is_whole else 4
    making = samples / rates.samples_per_s
    reading_records = samples * rates.record_bytes / rates.record_bytes_per_s
    return {
        "processor time": _time(making),
        **{f"made on {cores:,} cores": _time(making / min(cores, shards)) for cores in CORES},
        "bytes of shards": _bytes(samples * rates.sample_bytes),
        "shards": f"{shards:,}",
        "bytes of a shard": _bytes(shard_bytes),
        "bytes of records": _bytes(samples * rates.record_bytes),
        "requests that write": f"{shards * (puts + 1):,}",
        "requests that read": f"{shards * reads:,}",
        "records read at the end, one process": _time(reading_records),
        "requests to resume after a kill": f"{2 * shards:,}",
        "hashed by verify, 2 cores": _time(samples * rates.sample_bytes / rates.hashed_per_s / 2),
    }


def table(name: str, rates: Rates) -> str:
    """As Markdown."""
    costs = [cost(samples, rates) for samples in SAMPLES]
    head = [name, *(f"10^{round(math.log10(samples))}" for samples in SAMPLES)]
    rows = [[row, *(one[row] for one in costs)] for row in costs[0]]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _time(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"


def _bytes(size: float) -> str:
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"


def main(arguments: Sequence[str]) -> int:
    """Print both tables, or put them where they stand."""
    tables = {name: table(name, rates) for name, rates in Rates.measured().items()}
    if "--write" not in arguments:
        print("\n\n".join(tables.values()))
        return 0
    text = PAGE.read_text(encoding="utf-8")
    for name, new in tables.items():
        text = re.sub(rf"^\| {name} \|.*\n(\|.*\n)+", new + "\n", text, flags=re.MULTILINE)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
