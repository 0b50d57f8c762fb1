"""Annotates a dataset: adds depth to existing samples."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from depthmask.codec.members import without_depth
from depthmask.codec.sample import InstancesFormat, LayerLabels, SizeEstimate, decode
from depthmask.compose.depth_check import depth_fault
from depthmask.concurrency import prefetch
from depthmask.config.resources import check_resources
from depthmask.config.root import Root
from depthmask.config.versions import plan_versions
from depthmask.data import DepthContract, Encoded, Float32, Sample, Size, UInt8
from depthmask.engine.display import Display
from depthmask.engine.from_config import contract_of, job_from_config
from depthmask.engine.generate import Generate
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.dataset import DatasetInput
from depthmask.engine.inputs.job import (
    InputJob,
    adapted_input,
    identity_of,
    leaves_out_labels,
    output_of,
)
from depthmask.engine.job import ShardLog
from depthmask.engine.recode import Recoding, choose_recoding, labels_in
from depthmask.engine.sample_size import depth_bytes
from depthmask.engine.shard_size import shard_size_of
from depthmask.errors import SettingError, UsageError
from depthmask.plan.layout import Shard
from depthmask.stage.calls import StageCalls
from depthmask.stages.depth.base import Estimator
from depthmask.stages.depth.fixed_batch import FixedBatchEstimator
from depthmask.stages.writer.base import check_shard_size
from depthmask.storage.dataset_info import LabelInfo
from depthmask.storage.identity import changed_assets
from depthmask.storage.location import location
from depthmask.storage.packages import other_pixels

_log = logging.getLogger(__name__)
_SAMPLES_PER_BATCH = 8
"""The least number of samples that are decoded together."""
_MOST_PIXELS_PER_BATCH = 1 << 25
"""The most pixels that are decoded together: with depth they take 7 bytes each, and there are two
batches in memory. Photographs of 12 megapixels come in pairs."""
_LARGE_INPUT = 1 << 21
"""The pixels of a network's input from which on its size is pointed out."""
_SCENE = ("source", "placement", "blend")
"""The config groups whose stages determine the layers of a sample."""
Batch: TypeAlias = list[tuple[Encoded, Sample]]
"""Samples in pairs: the members of the input, and the decoded sample, both without depth."""


@dataclass(frozen=True)
class Annotate(InputJob):
    """The job that adds depth to samples; images and masks are copied.

    composer: makes the composites again, for a depth stage that needs their layers. None for a
    network, which predicts from the decoded images.
    """

    composer: Generate | None

    def encoded(self, shard: Shard, log: ShardLog) -> Iterator[Encoded]:
        """Yield the samples with new depth; statistics of images and masks are as in `Convert`.

        Those of plugins are measured in the decoded images with the new depth.
        """
        input_statistics = self.input.check_shard(self.plan, shard)
        if input_statistics is not None:
            input_statistics.clear_depth()
            # Those of plugins may depend on the depth, so they are measured again.
            input_statistics.added = {}
            log.statistics.merge(input_statistics)
        log.lap("check")
        batches = self._batches(self.plan.indices(shard), log)
        for batch, result in prefetch(self._depths, batches, in_thread=self.composer is None):
            samples = [sample for _, sample in batch]
            numbers = [sample.index for sample in samples]
            log.progress.at(numbers[0])
            depths = result()
            log.lap("depth")
            for decoded, (encoded, _), depth in zip(
                log.each(samples, numbers), batch, depths, strict=True
            ):
                sample = replace(decoded, depth=depth)
                if fault := depth_fault(depth, self._contract_at(sample.size)):
                    raise StageCalls(self.root.depth, "estimate").fault(f"returned {fault}")
                if input_statistics is None:
                    log.statistics.add(sample)
                elif depth is not None:
                    log.statistics.add_depth(depth)
                log.measure(sample)
                log.lap("statistics")
                arrays = self.root.writer.reads_arrays
                recoded = self.recoding.apply_to_decoded(encoded, sample, arrays=arrays)
                log.lap("encode")
                yield recoded
                log.lap("write")
            log.progress.made(len(batch))

    def before_shards(self, display: Display, missing: Collection[Shard]) -> dict[str, float]:
        """Prepare the assets of the composer, and measure the geometry that it needs."""
        composer = self.composer
        return composer.before_shards(display, composer.plan.shards()) if composer else {}

    def _batches(self, indices: Sequence[int], log: ShardLog) -> Iterator[Batch]:
        for batch_indices in self._batch_indices(indices):
            log.lap("write")
            batch = []
            for index in batch_indices:
                log.progress.at(index)
                encoded = without_depth(self.input.read(index))
                batch.append((encoded, decode(encoded, self.input.most_pixels)))
            log.lap("read")
            yield batch

    def _batch_indices(self, indices: Sequence[int]) -> Iterator[list[int]]:
        """Samples to decode together: few of large photographs, since all are in memory."""
        count = max(_SAMPLES_PER_BATCH, self.root.depth.batch_size)
        batch: list[int] = []
        pixels = 0
        for index in indices:
            of_sample = math.prod(self.input.size_of(index))
            if batch and (len(batch) == count or pixels + of_sample > _MOST_PIXELS_PER_BATCH):
                yield batch
                batch, pixels = [], 0
            batch.append(index)
            pixels += of_sample
        yield batch

    def _contract_at(self, size: Size) -> DepthContract | None:
        """The contract of the depth map of an image."""
        if size == self.input.size or self.contract is None:
            return self.contract
        return contract_of(self.root.depth, size)

    def _depths(self, batch: Batch) -> list[Float32 | None]:
        if self.composer is None:
            depths: dict[int, Float32] = {}
            for numbers in _of_one_size(batch):
                images = np.stack([batch[number][1].image for number in numbers])
                depths |= zip(numbers, self._estimated(images), strict=True)
            return [depths[number] for number in range(len(batch))]
        indices = [sample.index for _, sample in batch]
        composed = self.composer.batches(indices, ShardLog())
        return [sample.depth for samples in composed for sample in samples]

    def _estimated(self, images: UInt8) -> Iterator[Float32]:
        """The depth of images of one size by the network, one map for each."""
        calls = StageCalls(self.root.depth, "estimate")
        batch_size = self.root.depth.batch_size
        for first in range(0, len(images), batch_size):
            some = images[first : first + batch_size]
            with calls:
                depths: Float32 = self.root.depth.estimate(some)
            if not isinstance(depths, np.ndarray) or len(depths) != len(some):
                raise calls.returned(depths, f"float32 [{len(some)}, h, w]")
            yield from depths


def _of_one_size(batch: Batch) -> Iterator[list[int]]:
    """The positions in the batch of all samples with one size, for each size."""
    positions: dict[Size, list[int]] = {}
    for number, (_, sample) in enumerate(batch):
        positions.setdefault(sample.size, []).append(number)
    yield from positions.values()


def annotate(job_input: JobInput, root: Root, overridden: Collection[str]) -> Annotate:
    """The job that annotates an input; nothing is written.

    overridden: the names of the settings that the user gave. All other settings of images and masks
    are those of the input.
    """
    encode_names = {
        name.removeprefix("encode.") for name in overridden if name.startswith("encode.")
    }
    job_input = adapted_input(job_input, root, overridden)
    first = without_depth(job_input.read(0))
    input_encode = replace(job_input.encode, depth=root.encode.depth)
    all_of_them = labels_in(first) if leaves_out_labels(root, overridden) else set()
    left_out = all_of_them | _stale_labels(job_input.dataset_facts()["labels"])
    chosen = choose_recoding(first, input_encode, root.encode, encode_names, left_out)
    with_depth = replace(chosen, changed=chosen.changed | {"depth"})
    shard_size = root.shard_size if "shard_size" in overridden else job_input.shard_size
    root = replace(root, encode=with_depth.encode, shard_size=shard_size)
    return annotate_job(job_input, root, with_depth)


def annotate_job(job_input: JobInput, root: Root, recoding: Recoding) -> Annotate:
    """The job that annotates an input with all settings of the root, and this recoding."""
    root = replace(root, samples=job_input.samples, size=list(job_input.size))
    composer = None if isinstance(root.depth, Estimator) else _composer(job_input, root)
    if composer is None:
        check_resources([("depth", root.depth)])
        contract = contract_of(root.depth, root.canvas)
        _warn_of_large_inputs(root.depth, job_input)
    else:
        contract = composer.contract
    if contract is None:
        raise SettingError("depth", root.depth.name, "makes no depth; choose another depth stage")
    recoding.encode.check(contract)
    stages = ("depth", "geometry") if composer else ("depth",)
    sample_bytes = _sample_bytes(job_input, root, contract)
    plan = job_input.layout(shard_size_of(root, sample_bytes))
    identity = identity_of("annotate", job_input, root, recoding, contract, plan.shard_size, stages)
    job = Annotate(
        root=root,
        plan=plan,
        contract=contract,
        output=output_of(root, job_input, identity),
        identity=identity,
        catalogue=job_input.catalogue,
        input=job_input,
        recoding=recoding,
        expected_bytes=sample_bytes,
        composer=composer,
    )
    members = len(job_input.read(0).members) + 1
    arrays = root.encode.expected(job_input.size, contract.resolution).arrays
    check_shard_size(root.writer, SizeEstimate(members, sample_bytes, arrays), plan)
    return job


def _warn_of_large_inputs(depth: Estimator, job_input: JobInput) -> None:
    """Log a warning if the network runs at the size of large pictures, for which it needs much."""
    if not isinstance(depth, FixedBatchEstimator):
        return
    height, width = depth.input_size(job_input.size)
    if height * width > _LARGE_INPUT:
        _log.warning(
            "depth=%s runs at the size of the pictures, up to %dx%d, which takes much memory and "
            "time; size=[H,W] resizes photographs",
            depth.name,
            height,
            width,
        )


def _stale_labels(labels: Sequence[LabelInfo]) -> set[str]:
    """The names of the labels that were made from the earlier depth."""
    stale = [output for label in labels if label.reads_depth for output in label.outputs]
    for output in stale:
        if output.member is None:
            _log.warning("the values of the label %s are those of the earlier depth", output.name)
    return {output.name for output in stale if output.member is not None}


def _composer(job_input: JobInput, root: Root) -> Generate:
    """The job that generated the samples, with the new depth and geometry stages."""
    if not isinstance(job_input, DatasetInput) or job_input.plan.get("job") != "generate":
        raise UsageError(
            f"depth={root.depth.name} needs the layers of each sample, which "
            f"{', '.join(job_input.paths)} does not have; choose a network, such as "
            "depth=fastdepth, or annotate the dataset that was generated"
        )
    composed = job_input.root_with(depth=root.depth, geometry=root.geometry, labels={})
    # The labels are copied from the files.
    encode = replace(composed.encode, labels=LayerLabels.none, instances=InstancesFormat.none)
    composer = job_from_config(replace(composed, encode=encode))
    if composer.catalogue.digest != job_input.plan.get("inputs"):
        changes = changed_assets(location(job_input.paths[0]), composer.catalogue.hashes)
        named = f": {changes}" if changes else ""
        raise UsageError(
            f"{job_input.paths[0]}: its assets have changed since it was generated{named}"
        )
    kinds = [*_SCENE, *(["geometry"] if composer.root.placement.reads_geometry else [])]
    if pixels := other_pixels(job_input.plan, plan_versions(composer.root, kinds)):
        raise UsageError(
            f"{job_input.paths[0]}: its layers cannot be placed as they were: {pixels}"
        )
    return composer


def _sample_bytes(job_input: JobInput, root: Root, contract: DepthContract) -> int:
    """The estimated bytes of a sample with new depth, the mean where sizes differ."""
    size = job_input.typical_size
    of_size = contract if size == job_input.size else contract_of(root.depth, size)
    encode, resolution = root.writer.stored_as(root.encode), of_size and of_size.resolution
    new = encode.expected(size, resolution).bytes - encode.expected(size, None).bytes
    return job_input.sample_bytes - depth_bytes(job_input) + new
