"""Convert: the samples of a dataset, written by another writer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from depthmask.config.build import to_plain
from depthmask.config.root import Root
from depthmask.data import Encoded
from depthmask.depth.contract import contract_as_json
from depthmask.encode import DepthFormat, Expected, decode
from depthmask.job import Job, Progress
from depthmask.jobs.origin import Origin
from depthmask.jobs.recode import Recoding, recoding
from depthmask.location import Location, location
from depthmask.output.guard import Claim
from depthmask.output.summary import SCHEMA
from depthmask.shards import Shard
from depthmask.statistics import Statistics
from depthmask.timing import Laps
from depthmask.versions import versions
from depthmask.writer.base import check_shard_size

_TOGETHER = 64
"""Samples between two signs of progress."""
CONFIG = ("samples", "size", "shard_size", "encode", "writer")
"""What of the config decides about the dataset."""


@dataclass(frozen=True)
class Convert(Job):
    """The job of moving the samples of a dataset into other files."""

    origin: Origin
    recoding: Recoding

    def encoded(
        self, shard: Shard, statistics: Statistics, laps: Laps, progress: Progress
    ) -> Iterator[Encoded]:
        """Moved, or encoded anew where another encoding was asked for.

        Statistics are those of the same shard there; where the shards are others, they are of the
        pixels that a reader sees.
        """
        known = self.origin.begin(self.plan, shard)
        if known is not None:
            statistics.merge(known)
        laps("check")
        indices = iter(self.plan.indices(shard))
        while batch := list(islice(indices, _TOGETHER)):
            for index in batch:
                progress.at(index)
                there = self.origin.read(index)
                laps("read")
                if known is None:
                    statistics.add(decode(there, self.origin.most_pixels))
                    laps("statistics")
                ready = self.wanted(there)
                laps("encode")
                yield ready
                laps("write")
            progress.made(len(batch))

    def wanted(self, there: Encoded) -> Encoded:
        """A sample as the writer gets it."""
        arrays = self.root.writer.reads_arrays
        return self.recoding.apply(there, self.origin.most_pixels, arrays=arrays)

    def named(self, index: int) -> str:
        """With where it comes from."""
        return f"sample {index} of {', '.join(self.origin.paths)}"

    @property
    def sample_bytes(self) -> int:
        """As many as there."""
        return self.origin.sample_bytes

    def described(self, claim: Claim) -> dict[str, Any]:
        """As there."""
        return self.origin.described()


def convert(origin: Origin, root: Root, given: Collection[str]) -> tuple[Convert, Claim]:
    """The job behind a config, and its claim; nothing is written.

    given: the names of the settings that the user named, as `encode.depth`. What is not named
    stays as it is there, the size of the shards too.
    """
    of_encode = {name.removeprefix("encode.") for name in given if name.startswith("encode.")}
    found = recoding(origin.read(0), origin.encode, root.encode, of_encode)
    shard_size = root.shard_size if "shard_size" in given else origin.shard_size
    return converted(origin, replace(root, encode=found.encode, shard_size=shard_size), found)


def converted(origin: Origin, root: Root, found: Recoding) -> tuple[Convert, Claim]:
    """The job and its claim where all is decided."""
    contract = None if found.encode.depth is DepthFormat.none else origin.contract
    found.encode.check(contract)
    root = replace(root, samples=origin.samples, size=list(origin.size))
    wanted = Claim(
        {
            "schema": SCHEMA,
            "job": "convert",
            "dataset": {"paths": list(origin.paths), "sha256": origin.sha256},
            "encoded": sorted(found.changed),
            "config": {key: value for key, value in to_plain(root).items() if key in CONFIG},
            "depth": contract_as_json(contract),
            "versions": versions(root),
        }
    )
    output = output_of(root, origin.paths, wanted)
    layout = origin.layout(root.shard_size)
    job = Convert(root, layout, contract, output, wanted.lineage, origin, found)
    check_shard_size(root.writer, expected(job.wanted(origin.read(0))), layout)
    return job, wanted


def expected(first: Encoded) -> Expected:
    """What samples will bring, by the first."""
    arrays = {name: array.nbytes for name, array in first.arrays.items()}
    return Expected(len(first.members), sum(map(len, first.members.values())), arrays)


def output_of(root: Root, paths: Sequence[str], wanted: Claim) -> Location:
    """The folder of a dataset that is made from others."""
    if root.output is not None:
        return location(root.output)
    name = f"{Path(paths[0]).stem}-{root.writer.name}-{wanted.fingerprint[:8]}"
    return location("outputs") / name
