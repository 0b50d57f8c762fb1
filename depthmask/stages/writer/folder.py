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
    """One folder for each shard, one file for each member; a key may name folders in it."""

    # A shard's record names thousands of files.
    open_shards = 16
    reads_arrays = False
    shard_kind = ShardKind.files
    any_size = True

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `SHARD/KEY.MEMBER` files; returns the (file, 0, size) of each member."""
        files_of: dict[str, list[tuple[Path, int]]] = {}
        into = folder / shard
        into.mkdir()
        for sample in samples:
            (into / sample.key).parent.mkdir(parents=True, exist_ok=True)
            for name, data in sample.members.items():
                path = into / f"{sample.key}.{name}"
                path.write_bytes(data)
                files_of.setdefault(name, []).append((path, len(data)))
        # The record lists the files sorted by path.
        paths = sorted(path for files in files_of.values() for path, _ in files)
        numbers = {path: number for number, path in enumerate(paths)}
        return {
            member: [(numbers[path], 0, size) for path, size in files]
            for member, files in files_of.items()
        }
