"""Reads and writes the records of a dataset's shards."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from dataclasses import replace
from math import inf

from depthmask.concurrency import parallel_map
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Layout, Shard
from depthmask.storage.path import StorePath
from depthmask.storage.publish import read_sealed, write_sealed
from depthmask.storage.record import Record, is_inside
from depthmask.storage.shell import command, path_word


class Records:
    """The records of the shards of a dataset: sealed JSON files in its folder `records/`."""

    def __init__(self, output: StorePath) -> None:
        """output: the folder of the dataset."""
        self._output = output
        self._folder = output / "records"
        self._shards = output / "shards"

    def path(self, shard: str) -> StorePath:
        """Return the path of a shard's record; DepthmaskError if that is not a shard name."""
        if not is_inside(shard) or "/" in shard:
            raise DepthmaskError(f"{self._output}: {shard[:80]!r} is not a shard name")
        return self._folder / f"{shard}.json"

    def write(self, record: Record) -> None:
        """Write a record durably, whole or not at all."""
        write_sealed(self.path(record.shard), record.as_json())

    def read(self, shard: str) -> Record | None:
        """Return the record of a shard; None if it is missing, damaged, or of another shard."""
        data = read_sealed(self.path(shard))
        try:
            record = Record.from_json(data) if data is not None else None
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        return record if record is not None and record.shard == shard else None

    def require(self, shard: str) -> Record:
        """Return the record of a shard; DepthmaskError if `read` finds none."""
        record = self.read(shard)
        if record is None:
            raise DepthmaskError(
                f"{self._output}: the record of {shard} is missing or damaged; "
                f"`{command('verify', path_word(self._output), '--repair')}` makes the shard "
                "again"
            )
        return record

    def shards(self, layout: Layout) -> Iterator[Shard]:
        """Yield the shards of the layout that have a record, valid or not, in their order.

        The folder is listed once: a million shards are not probed one by one.
        """
        counts = layout.shard_counts()
        # By the records, not by the shards of the layout: of a billion there may be few.
        numbers = {split: array("q") for split in counts}
        for path in self._folder.glob("*.json"):
            split, _, digits = path.stem.rpartition("-")
            if digits.isdecimal() and int(digits) < counts.get(split, 0):
                number = int(digits)
                if layout.shard(number, split).name == path.stem:
                    numbers[split].append(number)
        for split, some in numbers.items():
            yield from (layout.shard(number, split) for number in sorted(some))

    def intact(self, layout: Layout, lineage: str) -> Iterator[Record]:
        """Yield the records of the layout's shards whose files are intact, in their order.

        Each record is read once, and files are hashed in parallel where their store does not vouch
        for them. lineage: of the dataset that the shards must belong to.
        """
        for record in parallel_map(
            self._output.parallel_checks(inf),
            lambda shard: self._intact(shard, lineage),
            self.shards(layout),
        ):
            if record is not None:
                yield record

    def shorter(self, layout: Layout, lineage: str, complete: Collection[Shard]) -> Iterator[Shard]:
        """Yield intact shards that end before those of the layout: the last ones of a shorter one.

        complete: the shards of the layout that are intact.
        """
        done = frozenset(complete)
        for shard in self.shards(layout):
            record = self.read(shard.name) if shard not in done else None
            if record is not None and record.stop < shard.stop:
                short = replace(shard, stop=record.stop)
                if self._intact(short, lineage) is not None:
                    yield short

    def problems(self, record: Record) -> list[str]:
        """Hash every file of a shard; return a line for each that is not as published."""
        differences = ((file.name, self._shards.difference(file)) for file in record.files)
        return [f"{name} {difference}" for name, difference in differences if difference]

    def _intact(self, shard: Shard, lineage: str) -> Record | None:
        record = self.read(shard.name)
        if record is None or record.lineage != lineage:
            return None
        if (record.start, record.stop) != (shard.start, shard.stop):
            return None
        is_intact = all(self._shards.is_intact(file) for file in record.files)
        return record if is_intact else None
