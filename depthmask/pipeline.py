"""The whole flow in one loop.

    plan -> Recipe -> place, cover, blend -> Composite -> annotate -> Sample -> encode -> write

A shard is the unit of parallel work: a runner maps `make_shard(job, shard)` over the shards of
the plan, in one process or many, and never sees an image.
"""

from __future__ import annotations

import textwrap
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from depthmask.compose.composer import Composer
from depthmask.compose.describe import describe
from depthmask.compose.library import Library
from depthmask.config.root import Root
from depthmask.data import Composite, DepthContract, Encoded, Float32, Sample
from depthmask.depth.contract import check_depth
from depthmask.errors import DepthmaskError, ShardError
from depthmask.geometry.cache import GeometryCache
from depthmask.geometry.estimated import as_geometry
from depthmask.output.publish import Draft, disk_error, write_sealed
from depthmask.output.record import Record, as_places, record_path
from depthmask.plan import Plan, Shard
from depthmask.statistics import Statistics
from depthmask.timing import Laps


@dataclass(frozen=True)
class Generate:
    """The job of making samples from a plan over assets.

    lineage: what the records of its shards say that they were made for (see `Claim`). Small when
    pickled: what a worker needs besides is made in the worker, at first use.
    """

    root: Root
    plan: Plan
    contract: DepthContract | None
    output: Path
    lineage: str

    def samples(self, start: int, stop: int, laps: Laps) -> Iterator[Sample]:
        """The samples start..stop-1; sample i is the same whatever else is asked for."""
        recipes = self.plan.recipes(start, stop)
        while batch := list(islice(recipes, self.root.depth.batch_size)):
            composites = [self._composer.compose(recipe, laps) for recipe in batch]
            depths = self.root.depth.annotate(composites)
            laps("depth")
            for composite, depth in zip(composites, depths, strict=True):
                yield self._sample(composite, depth)

    @cached_property
    def geometry(self) -> GeometryCache:
        """The backgrounds' geometry, for the stages that read it."""
        geometry = as_geometry(self.root.geometry)
        return GeometryCache(geometry, self.root.source, self.root.canvas)

    @property
    def reads_geometry(self) -> bool:
        """Whether any stage does."""
        return bool(self.root.placement.reads_geometry or self.root.depth.reads_geometry)

    def _sample(self, composite: Composite, depth: Float32 | None) -> Sample:
        check_depth(depth, self.contract, composite.recipe.key)
        return Sample(
            key=composite.recipe.key,
            image=composite.image,
            mask=composite.mask,
            instances=composite.instances,
            depth=depth,
            meta=describe(composite),
        )

    @cached_property
    def _composer(self) -> Composer:
        source, size = self.root.source, self.root.canvas
        library = Library(
            source,
            size,
            self.geometry.background
            if self.reads_geometry
            else lambda key: source.background(key, size),
        )
        return Composer(self.root.seed, self.root.placement, self.root.blend, library)

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


def make_shard(
    job: Generate, shard: Shard, made: Callable[[int], None] = lambda count: None
) -> Record:
    """Make, write and publish one shard; `made` hears of every sample. Returns its record.

    Raises `DepthmaskError`, which names the sample and its assets if a stage failed.
    """
    laps, statistics = Laps(), Statistics()
    done = 0

    def encoded() -> Iterator[Encoded]:
        nonlocal done
        for sample in job.samples(shard.start, shard.stop, laps):
            statistics.add(sample)
            laps("statistics")
            members = job.root.encode.encode(sample)
            laps("encode")
            yield members
            laps("write")
            done += 1
            made(1)

    try:
        with Draft(job.output, shard.name) as draft:
            places = job.root.writer.write(draft.folder, shard.name, len(shard), encoded())
            laps("write")
            files = draft.publish()
            laps("publish")
        record = Record(
            shard=shard.name,
            split=shard.split,
            lineage=job.lineage,
            start=shard.start,
            stop=shard.stop,
            files=files,
            members={name: as_places(of_member) for name, of_member in places.items()},
            statistics=statistics.as_sums(),
            seconds=laps.seconds,
        )
        write_sealed(record_path(job.output, shard.name), record.as_json())
    except DepthmaskError:
        raise
    except OSError as error:
        raise disk_error(error, job.output) from error
    except Exception as error:
        raise _stage_failure(job, shard, done, error) from error
    return record


def _stage_failure(job: Generate, shard: Shard, done: int, error: Exception) -> ShardError:
    """Name the sample that was being made; with a network, the first of its batch."""
    sample = culprit(job, min(shard.start + done, shard.stop - 1))
    return ShardError(f"{shard.name}: {sample}: {in_one_line(error)}")


def culprit(job: Generate, index: int) -> str:
    """A sample and its assets, to be named when it could not be made."""
    recipe = job.plan.recipe(index)
    assets = ", ".join([recipe.background, *(key for key, _ in recipe.foregrounds)])
    return f"sample {index} ({assets})"


def in_one_line(error: Exception) -> str:
    """What an error that nobody foresaw says, and where it came from."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = textwrap.shorten(f"{type(error).__name__}: {error}", 500)
    return f"{text} (in {frame.name}, {Path(frame.filename).name}:{frame.lineno})"
