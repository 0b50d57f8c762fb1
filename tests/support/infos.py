"""A `DatasetInfo` without a dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depthmask.storage.dataset_info import DatasetInfo, Leakage


def dataset_info(**changes: Any) -> DatasetInfo:
    """Of four samples in one shard, with these fields changed."""
    info = DatasetInfo(
        fingerprint="",
        samples=4,
        size=(12, 10),
        variants=1,
        splits={},
        leakage=Leakage(assets=0, near_duplicates=0),
        backgrounds=1,
        foregrounds=1,
        shards=1,
        shard_size=4,
        bytes=1,
        assets={},
        licences={"backgrounds": {}, "foregrounds": {}},
        left_out=(),
        contract=None,
        statistics={},
        counts={},
        versions={},
        manifest_sha256="",
    )
    return replace(info, **changes)
