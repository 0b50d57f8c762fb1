"""A dataset without files: each sample is made when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from depthmask import forks
from depthmask.config.plugins import registry
from depthmask.config.root import Root
from depthmask.data import DepthContract, Sample
from depthmask.engine.from_config import job_from_config
from depthmask.engine.generate import Generate
from depthmask.engine.interface.root import root_of
from depthmask.engine.job import ShardLog
from depthmask.errors import DepthmaskError, UsageError
from depthmask.reading.samples import Samples
from depthmask.reading.splits import Splits
from depthmask.reading.summary import summary
from depthmask.stage.calls import StageError

_LOOKUP_SIZE = 1024
"""The sample numbers of a split that are looked up at a time: a split may have a billion."""


class Virtual(Samples):
    """The samples that a run with the same settings would write, with the pixels before encoding.

    It can be pickled, and decodes assets at first use. Threads may share it, but only one makes
    samples at a time. Forked processes may use it, unless a network has run before the fork.
    """

    def __init__(self, job: Generate, *, only: str | None = None) -> None:
        """only: the name of a split, or None for all samples."""
        self.job = job
        self.only = only
        self._length = job.plan.samples if only is None else job.plan.counts[only]
        self._lock = forks.Lock()

    def split(self, name: str) -> Virtual:
        """The samples of one split, numbered from 0; raises `UsageError` if it does not exist."""
        if name not in self.splits:
            raise UsageError(f"no split {name!r}; there are {', '.join(self.splits)}")
        return Virtual(self.job, only=name)

    @property
    def splits(self) -> Splits:
        """The names of the splits; `splits["val"]` is the number of samples in one."""
        return Splits(self.job.plan.counts)

    @property
    def contract(self) -> DepthContract | None:
        """The meaning of the depth values; None without depth."""
        return self.job.contract

    def __len__(self) -> int:
        return self._length

    def at(self, numbers: Sequence[int]) -> Iterator[Sample]:
        """Make the samples of these numbers, in batches as in a run."""
        for first in range(0, len(numbers), _LOOKUP_SIZE):
            indices = self._indices(numbers[first : first + _LOOKUP_SIZE])
            log = ShardLog()
            batches = self.job.batches(indices, log)
            while batch := self._next(batches, log):
                yield from batch

    def measure(self, done: Callable[[int], None] = lambda count: None) -> None:
        """Measure the geometry of all backgrounds now, in full batches, and cache it on disk.

        Otherwise each background is measured when a sample needs it, in the process that makes the
        sample. done: called with the number of backgrounds measured since the last call.
        """
        job = self.job
        with self._lock:
            job.geometry.fill(job.backgrounds_to_measure(), done)

    def _indices(self, numbers: Sequence[int]) -> Sequence[int]:
        """The indices in the plan of these numbers."""
        if self.only is None:
            return numbers
        return [self.job.plan.numbering.index(self.only, number) for number in numbers]

    def _next(self, batches: Iterator[list[Sample]], log: ShardLog) -> list[Sample] | None:
        # Stages have generators and caches that threads must not share.
        with self._lock:
            try:
                return next(batches, None)
            except StageError as error:
                sample = self.job.named(log.progress.begun)
                raise DepthmaskError(f"{sample}: {registry().message(error)}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), only=self.only), (self.job,)

    def __repr__(self) -> str:
        height, width = self.job.root.canvas
        contents = summary(
            len(self),
            f"{height}x{width}",
            self.splits,
            self.only,
            ["image", "mask", *(label.name for label in self.job.labeller.outputs)],
            self.contract,
        )
        return f"Virtual({contents})"


def virtual(config: Sequence[str] | Mapping[str, Any] | Root) -> Virtual:
    """The samples that a run with these settings would make; `UsageError` for a bad setting."""
    root = root_of("virtual", config, None)
    try:
        return Virtual(job_from_config(root))
    except StageError as error:
        raise DepthmaskError(registry().message(error)) from error
