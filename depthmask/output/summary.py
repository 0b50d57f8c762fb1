"""`dataset.json`: the last file of a dataset, and the sign that it is complete."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from depthmask.depth.contract import contract_as_json
from depthmask.output.record import Record
from depthmask.pipeline import Generate
from depthmask.statistics import Statistics

SCHEMA = 1


def manifest_hash(records: Iterable[Record]) -> str:
    """One sha256 over the names and hashes of all files, in the order of the shards."""
    lines = (f"{file.sha256} {file.name}\n" for record in records for file in record.files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def summarise(
    job: Generate, records: Sequence[Record], fingerprint: str, versions: dict[str, str]
) -> dict[str, Any]:
    """Totals, exact statistics, the depth contract, and one hash over all files."""
    statistics = Statistics()
    for record in records:
        statistics.merge(Statistics.from_sums(record.statistics))
    return {
        "schema": SCHEMA,
        "fingerprint": fingerprint,
        "samples": job.plan.samples,
        "split": job.plan.split,
        "shards": len(records),
        "shard_size": job.plan.shard_size,
        "size": list(job.root.canvas),
        "bytes": sum(record.bytes for record in records),
        "backgrounds": len(job.plan.backgrounds),
        "foregrounds": len(job.plan.foregrounds),
        "depth": contract_as_json(job.contract),
        "statistics": statistics.summary(),
        "versions": versions,
        "manifest_sha256": manifest_hash(records),
    }
