"""The content of `dataset.json`, from a job and the records of its shards."""

from __future__ import annotations

from typing import Any

from depthmask.contract import contract_as_json
from depthmask.engine.job import Job
from depthmask.engine.totals import Totals
from depthmask.storage.dataset_info import SCHEMA


def summarise(job: Job, totals: Totals) -> dict[str, Any]:
    """Totals, exact statistics, the depth contract, and one hash over all files."""
    catalogue = job.catalogue
    return {
        "schema": SCHEMA,
        "fingerprint": job.identity.fingerprint,
        "samples": job.plan.samples,
        **job.described(),
        "shards": job.plan.shard_count(),
        "shard_size": job.plan.shard_size,
        "bytes": totals.bytes,
        "assets": {
            kind: {"files": files.count, "bytes": files.bytes}
            for kind, files in catalogue.files.items()
        },
        "licences": {
            kind: dict(catalogue.licences.get(kind, {})) for kind in ("backgrounds", "foregrounds")
        },
        "left_out": [{"file": one.file, "reason": one.reason} for one in catalogue.left_out],
        "depth": contract_as_json(job.contract),
        "statistics": totals.statistics.summary(),
        "counts": dict(totals.statistics.counts),
        "versions": job.identity.description["versions"],
        "manifest_sha256": totals.manifest_sha256(shard.name for shard in job.plan.shards()),
    }
