"""Chooses the number of samples in a shard, unless the user gave it."""

from __future__ import annotations

from depthmask.config.root import Root

_SHARD_BYTES = 64_000_000
"""The aim for the files of a shard. An interrupted run makes its unfinished shards again, one for
each worker: these take 15 s at 5 MB/s, as full scenes of 480x640 are made. Recording a shard takes
12 ms."""
_MOST_SAMPLES = 1000
"""The most samples in a shard; small samples reach it long before 64 MB."""


def shard_size_of(root: Root, sample_bytes: int) -> int:
    """The samples in a shard; sample_bytes: the estimated bytes of an encoded sample."""
    if root.shard_size is not None:
        return root.shard_size
    return min(max(_SHARD_BYTES // max(sample_bytes, 1), 1), _MOST_SAMPLES)
