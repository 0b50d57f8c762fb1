"""Convert: the samples of a dataset, written by another writer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from depthmask.codec.sample import DepthFormat, SizeEstimate, decode
from depthmask.config.root import Root
from depthmask.data import Encoded
from depthmask.engine.existing import InputJob, claim_of, output_of
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.job import Progress
from depthmask.engine.recode import Recoding, recoding
from depthmask.plan.layout import Shard
from depthmask.stages.writer.base import check_shard_size
from depthmask.statistics import Statistics
from depthmask.storage.identity import DatasetIdentity
from depthmask.timing import Laps

_TOGETHER = 64
"""Samples between two signs of progress."""


@dataclass(frozen=True)
class Convert(InputJob):
    """The job of moving the samples of a dataset into other files."""

    def encoded(
        self, shard: Shard, statistics: Statistics, laps: Laps, progress: Progress
    ) -> Iterator[Encoded]:
        """Moved, or encoded anew where another encoding was asked for.

        Statistics are those of the same shard there; where the shards are others, they are of the
        pixels that a reader sees.
        """
        known = self.input.begin(self.plan, shard)
        if known is not None:
            statistics.merge(known)
        laps("check")
        indices = iter(self.plan.indices(shard))
        while batch := list(islice(indices, _TOGETHER)):
            for index in batch:
                progress.at(index)
                there = self.input.read(index)
                laps("read")
                if known is None:
                    statistics.add(decode(there, self.input.most_pixels))
                    laps("statistics")
                ready = self.wanted(there)
                laps("encode")
                yield ready
                laps("write")
            progress.made(len(batch))

    def wanted(self, there: Encoded) -> Encoded:
        """A sample as the writer gets it."""
        arrays = self.root.writer.reads_arrays
        return self.recoding.apply(there, self.input.most_pixels, arrays=arrays)

    @property
    def sample_bytes(self) -> int:
        """As many as there."""
        return self.input.sample_bytes


def convert(
    job_input: JobInput, root: Root, given: Collection[str]
) -> tuple[Convert, DatasetIdentity]:
    """The job behind a config, and its claim; nothing is written.

    given: the names of the settings that the user named, as `encode.depth`. What is not named
    stays as it is there, the size of the shards too.
    """
    of_encode = {name.removeprefix("encode.") for name in given if name.startswith("encode.")}
    found = recoding(job_input.read(0), job_input.encode, root.encode, of_encode)
    shard_size = root.shard_size if "shard_size" in given else job_input.shard_size
    return converted(job_input, replace(root, encode=found.encode, shard_size=shard_size), found)


def converted(job_input: JobInput, root: Root, found: Recoding) -> tuple[Convert, DatasetIdentity]:
    """The job and its claim where all is decided."""
    contract = None if found.encode.depth is DepthFormat.none else job_input.contract
    found.encode.check(contract)
    root = replace(root, samples=job_input.samples, size=list(job_input.size))
    wanted = claim_of("convert", job_input, root, found, contract)
    output, layout = output_of(root, job_input, wanted), job_input.layout(root.shard_size)
    job = Convert(root, layout, contract, output, wanted.lineage, job_input, found)
    check_shard_size(root.writer, _expected(job.wanted(job_input.read(0))), layout)
    return job, wanted


def _expected(first: Encoded) -> SizeEstimate:
    """What samples will bring, by the first."""
    arrays = {name: array.nbytes for name, array in first.arrays.items()}
    return SizeEstimate(len(first.members), sum(map(len, first.members.values())), arrays)
