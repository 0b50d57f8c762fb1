"""A dataset without files: samples are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from depthmask import forks
from depthmask.config.compose import compose_root
from depthmask.config.root import Root
from depthmask.data import DepthContract, Sample
from depthmask.engine.from_config import job_from_config
from depthmask.engine.generate import Generate
from depthmask.engine.job import ShardLog
from depthmask.errors import UsageError
from depthmask.reading.samples import Samples

_AT_ONCE = 1024
"""Numbers that are looked up in a split: there may be a billion."""


class Virtual(Samples):
    """The samples of a plan, by number: those that a run with the same settings would write.

    As they are before they are encoded. Pickles small, decodes assets at first use; threads may
    share it (one makes samples at a time), and forked processes may go on with it, but for a
    network that has run before the fork.
    """

    def __init__(self, job: Generate, *, only: str | None = None) -> None:
        """only: one split."""
        self.job = job
        self.only = only
        self._length = job.plan.samples if only is None else job.plan.counts[only]
        self._lock = forks.Lock()

    def split(self, name: str) -> Virtual:
        """The samples of one split, numbered from 0; UsageError if there is no such split."""
        if name not in self.splits:
            raise UsageError(f"no split {name!r}; there are {', '.join(self.splits)}")
        return Virtual(self.job, only=name)

    @property
    def splits(self) -> tuple[str, ...]:
        """Their names."""
        return self.job.plan.numbering.names

    @property
    def contract(self) -> DepthContract | None:
        """What the depth values mean, None if there are none."""
        return self.job.contract

    def __len__(self) -> int:
        return self._length

    def at(self, numbers: Sequence[int]) -> Iterator[Sample]:
        """Made in batches, as a run makes them."""
        for first in range(0, len(numbers), _AT_ONCE):
            indices = self._indices(numbers[first : first + _AT_ONCE])
            batches = self.job.batches(indices, ShardLog())
            while batch := self._next(batches):
                yield from batch

    def measure(self, done: Callable[[int], None] = lambda looked_at: None) -> None:
        """Find the geometry of all backgrounds now, in full batches, and keep it on disk.

        Else each is measured when a sample needs it, in whatever process. `done` hears of
        backgrounds looked at.
        """
        job = self.job
        with self._lock:
            if job.reads_geometry:
                job.geometry.fill(job.geometry.to_measure(job.plan.backgrounds), done)

    def _indices(self, numbers: Sequence[int]) -> Sequence[int]:
        """Their numbers in the plan."""
        if self.only is None:
            return numbers
        return [self.job.plan.numbering.index(self.only, number) for number in numbers]

    def _next(self, batches: Iterator[list[Sample]]) -> list[Sample] | None:
        # Stages share generators and caches, and composing holds the interpreter's lock anyway.
        with self._lock:
            return next(batches, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), only=self.only), (self.job,)

    def __repr__(self) -> str:
        which = f" of {self.only}" if self.only else ""
        return f"Virtual({len(self)} samples{which})"


def virtual(config: Sequence[str] | Root) -> Virtual:
    """The samples that a run with these settings would make; UsageError for a bad one."""
    if isinstance(config, str):
        raise UsageError(f"virtual({config!r}): a list of settings is wanted: [{config!r}]")
    root = config if isinstance(config, Root) else compose_root(config)
    return Virtual(job_from_config(root))
