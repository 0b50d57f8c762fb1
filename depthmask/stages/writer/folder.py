"""A folder of plain files: slow with many samples, easy to inspect."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from depthmask.data import Encoded
from depthmask.stage import stage
from depthmask.stages.writer.base import ShardKind, Writer
from depthmask.storage.record import Members


@stage("folder")
class Folder(Writer):
    """One folder for each shard, one file for each member."""

    # A shard's record names thousands of files.
    open_shards = 16
    reads_arrays = False
    shard_kind = ShardKind.files

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `SHARD/KEY.MEMBER` files; returns the (file, 0, size) of each member."""
        named_files: dict[str, list[tuple[str, int]]] = {}
        into = folder / shard
        into.mkdir()
        for sample in samples:
            for name, data in sample.members.items():
                path = into / f"{sample.key}.{name}"
                path.write_bytes(data)
                named_files.setdefault(name, []).append((path.name, len(data)))
        # The record lists the files sorted by name.
        names = sorted(name for files in named_files.values() for name, _ in files)
        numbers = {name: number for number, name in enumerate(names)}
        return {
            member: [(numbers[name], 0, size) for name, size in files]
            for member, files in named_files.items()
        }
