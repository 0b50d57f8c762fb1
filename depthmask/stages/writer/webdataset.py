"""WebDataset shards: plain tar files that the `webdataset` library streams."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from depthmask.codec.tar import TarStream
from depthmask.data import Encoded
from depthmask.stage import stage
from depthmask.stages.writer._archive import write_archive
from depthmask.stages.writer.base import ShardKind, Writer
from depthmask.storage.record import Members


@stage("webdataset")
class WebDataset(Writer):
    """One tar file for each shard, `000000123.jpg`, `000000123.mask.png` and so on.

    https://github.com/webdataset/webdataset; the members of a sample are adjacent.
    """

    reads_arrays = False
    shard_kind = ShardKind.archive
    # A header of 512 bytes, and half of that for padding.
    member_bytes = 768
    any_size = True

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `SHARD.tar`."""
        return write_archive(folder / f"{shard}.tar", TarStream, samples)
