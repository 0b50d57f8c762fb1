"""Annotate: depth for samples that are there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from depthmask.codec.sample import SizeEstimate, decode
from depthmask.concurrency import prefetch
from depthmask.config.root import Root
from depthmask.contract import check_depth
from depthmask.data import Encoded, Float32, Sample
from depthmask.engine.existing import InputJob, claim_of, output_of
from depthmask.engine.generate import Generate
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.dataset import DatasetInput
from depthmask.engine.job import Progress
from depthmask.engine.recode import Recoding, recoding
from depthmask.engine.run import prepare
from depthmask.errors import SettingError, UsageError, setting_errors_named
from depthmask.plan.layout import Shard
from depthmask.stages.depth.base import Estimator
from depthmask.stages.writer.base import check_shard_size
from depthmask.statistics import Moments, Statistics
from depthmask.storage.identity import DatasetIdentity
from depthmask.timing import Laps

if TYPE_CHECKING:
    from depthmask.cli.screen import Screen

_TOGETHER = 8
"""Samples that are decoded together at least."""
Batch: TypeAlias = list[tuple[Encoded, Sample]]
"""What is there of some samples, and the same decoded, without its depth."""


@dataclass(frozen=True)
class Annotate(InputJob):
    """The job of giving samples depth; images and masks are moved.

    composer: makes the composites again, for a depth stage that reads their layers; None for a
    network, which sees the decoded images.
    """

    composer: Generate | None

    def encoded(
        self, shard: Shard, statistics: Statistics, laps: Laps, progress: Progress
    ) -> Iterator[Encoded]:
        """With new depth. Statistics of images and masks as those of `Convert`."""
        known = self.input.begin(self.plan, shard)
        if known is not None:
            known.depth = Moments()
            statistics.merge(known)
        laps("check")
        batches = self._batches(self.plan.indices(shard), laps, progress)
        for batch, annotated in prefetch(self._depths, batches, in_thread=self.composer is None):
            progress.at(batch[0][1].index)
            depths = annotated()
            laps("depth")
            for (there, without), depth in zip(batch, depths, strict=True):
                progress.at(without.index)
                sample = replace(without, depth=depth)
                check_depth(depth, self.contract, sample.key)
                if known is None:
                    statistics.add(sample)
                elif depth is not None:
                    statistics.add_depth(depth)
                laps("statistics")
                ready = self.recoding.filled(there, sample, arrays=self.root.writer.reads_arrays)
                laps("encode")
                yield ready
                laps("write")
            progress.made(len(batch))

    def before(self, screen: Screen) -> dict[str, float]:
        """What the composer has to do once."""
        return self.composer.before(screen) if self.composer else {}

    @property
    def sample_bytes(self) -> int:
        """As many as there, and a map."""
        return self.input.sample_bytes + _depth_bytes(self)

    def _batches(self, indices: Sequence[int], laps: Laps, progress: Progress) -> Iterator[Batch]:
        numbers = iter(indices)
        while some := list(islice(numbers, max(_TOGETHER, self.root.depth.batch_size))):
            laps("write")
            batch = []
            for index in some:
                progress.at(index)
                there = _without_depth(self.input.read(index))
                batch.append((there, decode(there, self.input.most_pixels)))
            laps("read")
            yield batch

    def _depths(self, batch: Batch) -> list[Float32 | None]:
        if self.composer is None:
            images = np.stack([sample.image for _, sample in batch])
            batch_size = self.root.depth.batch_size
            return [
                depth
                for first in range(0, len(images), batch_size)
                for depth in self.root.depth.estimate(images[first : first + batch_size])
            ]
        indices = [sample.index for _, sample in batch]
        made = self.composer.batches(indices, Laps(), Progress())
        return [sample.depth for some in made for sample in some]


def _without_depth(there: Encoded) -> Encoded:
    return Encoded(
        there.key,
        {name: data for name, data in there.members.items() if not name.startswith("depth.")},
        {name: array for name, array in there.arrays.items() if not name.startswith("depth")},
    )


def annotate(
    job_input: JobInput, root: Root, given: Collection[str]
) -> tuple[Annotate, DatasetIdentity]:
    """The job behind a config, and its claim; nothing is written.

    given: the names of the settings that the user named. Those that are about images and masks
    stay as they are there.
    """
    of_encode = {name.removeprefix("encode.") for name in given if name.startswith("encode.")}
    first = _without_depth(job_input.read(0))
    made_by = replace(job_input.encode, depth=root.encode.depth)
    moved = recoding(first, made_by, root.encode, of_encode)
    found = replace(moved, changed=moved.changed | {"depth"})
    shard_size = root.shard_size if "shard_size" in given else job_input.shard_size
    return annotated(job_input, replace(root, encode=found.encode, shard_size=shard_size), found)


def annotated(job_input: JobInput, root: Root, found: Recoding) -> tuple[Annotate, DatasetIdentity]:
    """The job and its claim where all is decided."""
    root = replace(root, samples=job_input.samples, size=list(job_input.size))
    composer = None if isinstance(root.depth, Estimator) else _composer(job_input, root)
    if composer is None:
        with setting_errors_named("depth"):
            contract = root.depth.contract(root.canvas, None)
    else:
        contract = composer.contract
    if contract is None:
        raise SettingError("depth", root.depth.name, "gives no depth; choose another to annotate")
    found.encode.check(contract)
    stages = ("depth", "geometry") if composer else ("depth",)
    wanted = claim_of("annotate", job_input, root, found, contract, stages)
    output, layout = output_of(root, job_input, wanted), job_input.layout(root.shard_size)
    job = Annotate(root, layout, contract, output, wanted.lineage, job_input, found, composer)
    first = job_input.read(0)
    members, arrays = (
        len(first.members) + 1,
        root.encode.expected(job_input.size, contract.resolution).arrays,
    )
    check_shard_size(root.writer, SizeEstimate(members, job.sample_bytes, arrays), layout)
    return job, wanted


def _composer(job_input: JobInput, root: Root) -> Generate:
    """What made the samples, with the stages that are to make their depth."""
    if not isinstance(job_input, DatasetInput) or job_input.job != "generate":
        raise UsageError(
            f"depth={root.depth.name} needs the layers of each sample, and in "
            f"{', '.join(job_input.paths)} there are none but in the pictures; choose a network, "
            "as depth=fastdepth, or annotate the dataset that the samples were made for"
        )
    with_depth = replace(job_input.root, depth=root.depth, geometry=root.geometry)
    checked = with_depth.source.check(with_depth.canvas)
    if checked.digest != job_input.inputs:
        raise UsageError(f"{job_input.paths[0]}: its assets have changed since it was made")
    return prepare(with_depth, checked.digest)[0]


def _depth_bytes(job: Annotate) -> int:
    encode, size = job.root.encode, job.input.size
    assert job.contract is not None, "there is depth"
    with_depth = encode.expected(size, job.contract.resolution).bytes
    return with_depth - encode.expected(size, None).bytes
