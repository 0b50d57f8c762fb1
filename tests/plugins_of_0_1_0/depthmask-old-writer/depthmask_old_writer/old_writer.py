"""Members one after another: what a writer looks like."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from depthmask import Encoded, Members, Writer, setting, stage


@stage("old_writer")
class OldWriterWriter(Writer):
    """One file for each shard, its members side by side; the record tells where each lies."""

    align: int = setting(1, ge=1, le=4096, help="members begin at multiples of so many bytes")

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Fill the folder; depthmask syncs, hashes and publishes what lies in it.

        Places for every member, so that depthmask can read them back by itself. A format that has
        an index of its own returns {} and has a `read` of its own.
        """
        places: dict[str, list[tuple[int, int, int]]] = {}
        with (folder / f"{shard}.bin").open("wb") as file:
            for sample in samples:
                for name, data in sample.members.items():
                    file.write(bytes(-file.tell() % self.align))
                    places.setdefault(name, []).append((0, file.tell(), len(data)))
                    file.write(data)
        return places
