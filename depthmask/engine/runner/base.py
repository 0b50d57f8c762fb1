"""The abstract runner."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator
from typing import ClassVar

from depthmask.engine.job import Job
from depthmask.plan.layout import Shard
from depthmask.stage import Stage
from depthmask.storage.record import Record


class Runner(Stage):
    """Calls `depthmask.make_shard(job, shard, progress)` for each shard, in any order."""

    kind: ClassVar[str] = "runner"

    @abstractmethod
    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        """Yield the record of each shard once it is published.

        made: the runner calls it from time to time, with the number of samples made since the last
        call. Raises `DepthmaskError` if a shard could not be made.
        """

    def workers_for(self, job: Job) -> int | None:
        """How many shards are made at a time, for estimates; None if that is unknown."""
        return None
