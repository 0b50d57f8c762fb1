"""Zip shards, which every desktop opens."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from depthmask.codec.sample import SizeEstimate
from depthmask.codec.zip import ZipStream, most_samples
from depthmask.data import Encoded
from depthmask.stage import stage
from depthmask.stages.writer._archive import write_archive
from depthmask.stages.writer.base import ShardKind, Writer
from depthmask.storage.record import Members


@stage("zip")
class Zip(Writer):
    """One zip file for each shard; members are stored, since JPEG and PNG are compressed."""

    reads_arrays = False
    shard_kind = ShardKind.archive
    # Two headers, each with the name.
    member_bytes = 108
    any_size = True

    def most_samples(self, expected: SizeEstimate) -> int:
        """Less than 4 GiB and 65,535 members, since many readers know no larger zips."""
        return most_samples(expected.members, expected.bytes)

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `SHARD.zip`."""
        return write_archive(folder / f"{shard}.zip", ZipStream, samples)
