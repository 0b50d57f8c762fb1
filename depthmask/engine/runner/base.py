"""Runners: who makes the shards."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator
from typing import ClassVar

from depthmask.engine.job import Job
from depthmask.plan.layout import Shard
from depthmask.stage import Stage
from depthmask.storage.record import Record


class Runner(Stage):
    """Maps `depthmask.make_shard(job, shard, progress)` over shards, in any order."""

    kind: ClassVar[str] = "runner"

    @abstractmethod
    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        """Yield the record of each shard as it is published.

        made: to be called now and then with the number of samples made since the last call.
        Raises `DepthmaskError` if a shard could not be made.
        """
