"""Converts a dataset: writes its samples with another writer or other encode settings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from depthmask.codec.sample import DepthFormat, SizeEstimate, decode
from depthmask.config.root import Root
from depthmask.data import Encoded
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.job import (
    InputJob,
    adapted_input,
    identity_of,
    leaves_out_labels,
    output_of,
)
from depthmask.engine.job import ShardLog
from depthmask.engine.recode import Recoding, choose_recoding, labels_in
from depthmask.engine.sample_size import recoded_bytes
from depthmask.engine.shard_size import shard_size_of
from depthmask.plan.layout import Shard
from depthmask.stages.writer.base import check_shard_size

_SAMPLES_PER_BATCH = 64
"""The samples after which progress is reported."""


@dataclass(frozen=True)
class Convert(InputJob):
    """The job that writes the samples of an input into other files."""

    def encoded(self, shard: Shard, log: ShardLog) -> Iterator[Encoded]:
        """Yield the samples; members are copied, or encoded again if their settings changed.

        The statistics are copied from the same shard of the input. If the input has shards of
        another size, they are computed from the decoded samples.
        """
        input_statistics = self.input.check_shard(self.plan, shard)
        if input_statistics is not None:
            log.statistics.merge(input_statistics)
        log.lap("check")
        indices = iter(self.plan.indices(shard))
        arrays = self.root.writer.reads_arrays
        while batch := list(islice(indices, _SAMPLES_PER_BATCH)):
            for index in batch:
                log.progress.at(index)
                encoded = self.input.read(index)
                log.lap("read")
                if input_statistics is None:
                    log.add(decode(encoded, self.input.most_pixels))
                    log.lap("statistics")
                recoded = self.recoding.apply(encoded, self.input.most_pixels, arrays=arrays)
                log.lap("encode")
                yield recoded
                log.lap("write")
            log.progress.made(len(batch))


def convert(job_input: JobInput, root: Root, overridden: Collection[str]) -> Convert:
    """The job that converts an input; nothing is written.

    overridden: the names of the settings that the user gave, such as `encode.depth`. All other
    settings are those of the input, also the size of the shards.
    """
    encode_names = {
        name.removeprefix("encode.") for name in overridden if name.startswith("encode.")
    }
    job_input = adapted_input(job_input, root, overridden)
    first = job_input.read(0)
    left_out = labels_in(first) if leaves_out_labels(root, overridden) else ()
    chosen = choose_recoding(first, job_input.encode, root.encode, encode_names, left_out)
    shard_size = root.shard_size if "shard_size" in overridden else job_input.shard_size
    return convert_job(
        job_input, replace(root, encode=chosen.encode, shard_size=shard_size), chosen
    )


def convert_job(job_input: JobInput, root: Root, recoding: Recoding) -> Convert:
    """The job that converts an input with all settings of the root, and this recoding."""
    contract = None if recoding.encode.depth is DepthFormat.none else job_input.contract
    recoding.encode.check(contract)
    root = replace(root, samples=job_input.samples, size=list(job_input.size))
    arrays = root.writer.reads_arrays
    expected = _size_of(recoding.apply(job_input.read(0), job_input.most_pixels, arrays=arrays))
    expected = replace(expected, bytes=recoded_bytes(job_input, root))
    plan = job_input.layout(shard_size_of(root, expected.bytes))
    check_shard_size(root.writer, expected, plan)
    identity = identity_of("convert", job_input, root, recoding, contract, plan.shard_size)
    return Convert(
        root=root,
        plan=plan,
        contract=contract,
        output=output_of(root, job_input, identity),
        identity=identity,
        catalogue=job_input.catalogue,
        input=job_input,
        recoding=recoding,
        expected_bytes=expected.bytes,
    )


def _size_of(encoded: Encoded) -> SizeEstimate:
    """The size of every sample, estimated from one of them."""
    arrays = {name: array.nbytes for name, array in encoded.arrays.items()}
    return SizeEstimate(len(encoded.members), sum(map(len, encoded.members.values())), arrays)
