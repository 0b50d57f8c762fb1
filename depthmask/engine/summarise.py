"""Makes the content of `dataset.json` from a job and the totals over its records."""

from __future__ import annotations

import logging

from depthmask.data import LeftOut
from depthmask.engine.environment import package_versions
from depthmask.engine.job import Job
from depthmask.engine.totals import Totals
from depthmask.storage.dataset_info import LICENSED, DatasetInfo

_log = logging.getLogger(__name__)


def summarise(job: Job, totals: Totals) -> DatasetInfo:
    """The content of `dataset.json`."""
    catalogue = job.catalogue
    for name in sorted(totals.statistics.unmatched):
        _log.warning(
            "statistic %s is left out: shards differ in its package, its unit or its bins", name
        )
    return DatasetInfo(
        **job.dataset_facts(),
        fingerprint=job.identity.fingerprint,
        samples=job.plan.samples,
        shards=job.plan.shard_count(),
        shard_size=job.plan.shard_size,
        bytes=totals.bytes,
        assets=catalogue.files,
        licences={kind: catalogue.licences.get(kind, {}) for kind in LICENSED},
        left_out=tuple(
            LeftOut(asset.file, asset.reason, files=asset.files, kind=asset.kind)
            for asset in catalogue.left_out
        ),
        contract=job.contract,
        statistics=totals.statistics.summary(),
        counts=totals.statistics.counts,
        versions={
            **package_versions(job.identity.environments[0]),
            **job.identity.description["versions"],
        },
        manifest_sha256=totals.manifest_sha256(job.plan.numbering.names),
        foreground_labels=catalogue.foreground_labels,
        added_statistics=totals.statistics.added_summary(),
    )
