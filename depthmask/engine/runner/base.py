"""The abstract runner."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import ClassVar

from depthmask.concurrency import cores, memory
from depthmask.engine.job import Asset, Job
from depthmask.plan.layout import Shard
from depthmask.stage import Stage, setting, settings
from depthmask.stages.depth.base import Estimator
from depthmask.storage.record import Record

_GIB = 1 << 30
_SHARE = 4
"""Of the memory of the machine, a run takes a quarter unless it is told otherwise."""
_PROCESS_BYTES = 128 << 20
"""What a process takes without assets, measured at 160x160; a worker has 60 MiB."""
_PIXEL_BYTES = 64
"""What a sample in work takes for each pixel of the canvas, measured at 480x640 and 1024x1024."""
_NETWORK_BYTES = 1 << 30
"""What a process with FastDepth or DenseDepth takes, about."""
_LEAST_BYTES = 32 << 20
"""The least memory for assets, however little is allowed."""


@settings
class Runner(Stage):
    """Calls `depthmask.make_shard(job, shard, progress)` for each shard, in any order."""

    kind: ClassVar[str] = "runner"

    memory_gb: float | None = setting(
        None, gt=0, help="GiB of memory for a run on a machine; null: a quarter of what it has"
    )
    store_gb: float | None = setting(
        None,
        gt=0,
        help="GiB on disk for prepared assets; null: a quarter of what is free, 50 at most",
    )

    @abstractmethod
    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        """Yield the record of each shard once it is published.

        made: the runner calls it from time to time, with the number of samples made since the last
        call. Raises `DepthmaskError` if a shard could not be made.
        """

    def prepare(self, job: Job, assets: Sequence[Asset], advance: Callable[[int], None]) -> None:
        """Call `job.prepare` for these assets, before any shard is made, if that is of use.

        It puts them into the asset store of a machine; workers make what that lacks. The default
        does nothing, since workers may be on other machines. advance: to be called with the number
        of assets prepared since the last call.
        """

    def workers_for(self, job: Job) -> int | None:
        """How many shards are made at a time, for estimates; None if that is unknown."""
        return None

    @property
    def store_bytes(self) -> int | None:
        """The most bytes of the asset store; None for a share of the free space."""
        return None if self.store_gb is None else int(self.store_gb * _GIB)

    def asset_bytes(self, job: Job) -> int:
        """How much memory a process of the run may take for assets, in bytes.

        What `memory_gb` allows is divided among the processes, each of which needs some for itself
        and for the samples in work; one with a network needs more.
        """
        allowed = memory() // _SHARE if self.memory_gb is None else int(self.memory_gb * _GIB)
        workers = self.workers_for(job) or cores()
        height, width = job.root.canvas
        own = _PROCESS_BYTES + _PIXEL_BYTES * height * width
        if isinstance(job.root.depth, Estimator):
            own += _NETWORK_BYTES
        # The process that started the workers has no assets in memory.
        return max(_LEAST_BYTES, (allowed - _PROCESS_BYTES) // workers - own)
