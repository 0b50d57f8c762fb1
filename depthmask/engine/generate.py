"""The whole flow in one loop.

    plan -> Recipe -> place, cover, blend -> Composite -> annotate -> Sample -> encode -> write

A shard is the unit of parallel work: a runner maps `make_shard(job, shard)` over the shards of
the plan, in one process or many, and never sees an image.
"""

from __future__ import annotations

import textwrap
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthmask import forks
from depthmask.codec.sample import Encoder, InstancesFormat, Labels
from depthmask.compose.asset_splits import leakage
from depthmask.compose.background_depth import GeometryCache
from depthmask.compose.composer import Composer, Placed
from depthmask.compose.describe import describe
from depthmask.compose.floor import with_ground
from depthmask.compose.library import Library
from depthmask.concurrency import prefetch
from depthmask.contract import check_depth
from depthmask.data import (
    Background,
    Composite,
    Encoded,
    Float32,
    Recipe,
    Sample,
    Size,
)
from depthmask.engine.job import Job, Progress
from depthmask.errors import DepthmaskError, NoPlaceError, ShardError
from depthmask.plan.layout import Shard
from depthmask.plan.plan import Plan
from depthmask.stages.depth.base import Estimator
from depthmask.stages.geometry.estimated import as_geometry
from depthmask.statistics import Statistics
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.publish import Draft, disk_error, write_sealed
from depthmask.storage.record import Record, as_byte_ranges, record_path
from depthmask.timing import Laps

if TYPE_CHECKING:
    from depthmask.cli.screen import Screen


@dataclass(frozen=True)
class Generate(Job):
    """The job of making samples from a plan over assets."""

    plan: Plan

    def encoded(
        self, shard: Shard, statistics: Statistics, laps: Laps, progress: Progress
    ) -> Iterator[Encoded]:
        """Made, measured and encoded, batch by batch."""
        for batch in self.batches(self.plan.indices(shard), laps, progress):
            for sample in batch:
                progress.at(sample.index)
                statistics.add(sample)
            laps("statistics")
            ready, encoding = [], self._encoder.encode(batch)
            for sample in batch:
                progress.at(sample.index)
                ready.append(next(encoding))
            laps("encode")
            for sample, members in zip(batch, ready, strict=True):
                progress.at(sample.index)
                yield members
            laps("write")
            progress.made(len(batch))

    def batches(
        self, indices: Sequence[int], laps: Laps, progress: Progress
    ) -> Iterator[list[Sample]]:
        """These samples, in groups that go through the stations together."""
        composed = self._composed(indices, laps, progress)
        in_thread = isinstance(self.root.depth, Estimator)
        # A thread must not say where this one is; a network's batch fails as a whole anyway.
        annotate = partial(self._annotate, progress=Progress() if in_thread else progress)
        for composites, annotated in prefetch(annotate, composed, in_thread=in_thread):
            progress.at(composites[0].recipe.index)
            depths = annotated()
            laps("depth")
            samples = []
            for composite, depth in zip(composites, depths, strict=True):
                progress.at(composite.recipe.index)
                samples.append(self._sample(composite, depth))
            yield samples

    def sample(self, index: int) -> Sample:
        """One sample, the same whatever else is asked for; IndexError if it is not in the plan."""
        self.plan.require(index)
        (sample,) = next(self.batches([index], Laps(), Progress()))
        return sample

    def named(self, index: int) -> str:
        """With its assets."""
        recipe = self.plan.recipe(index)
        assets = ", ".join([recipe.background, *(key for key, _ in recipe.foregrounds)])
        return f"sample {index} ({assets})"

    @property
    def sample_bytes(self) -> int:
        """By canvas, depth map and encode settings."""
        depth = self.contract.resolution if self.contract else None
        return self.root.encode.expected(self.root.canvas, depth).bytes

    def described(self, claim: DatasetIdentity) -> dict[str, Any]:
        """By the plan."""
        plan = self.plan
        inputs = claim.description["inputs"]
        return {
            "size": list(self.root.canvas),
            "variants": plan.variants,
            "splits": {
                part.split: {
                    "share": part.share,
                    "samples": plan.counts[part.split],
                    "backgrounds": len(part.backgrounds),
                    "foregrounds": len(part.foregrounds),
                }
                for part in plan.parts
            },
            "leakage": leakage(plan.parts, self.root.source, self.root.split, inputs),
            "backgrounds": len(plan.backgrounds),
            "foregrounds": len(plan.foregrounds),
        }

    def before(self, screen: Screen) -> dict[str, float]:
        """Ask the geometry's model about every background, once."""
        keys = self.geometry.to_measure(self.plan.backgrounds) if self.reads_geometry else []
        if not keys:
            return {}
        start = time.perf_counter()
        with screen.bar("geometry", len(keys), "backgrounds") as advance:
            self.geometry.fill(keys, advance)
        return {"geometry": time.perf_counter() - start}

    @cached_property
    def geometry(self) -> GeometryCache:
        """The backgrounds' geometry, for the stages that read it."""
        geometry = as_geometry(self.root.geometry)
        return GeometryCache(geometry, self.root.source, self.root.canvas)

    @property
    def reads_geometry(self) -> bool:
        """Whether any stage does."""
        return bool(self.root.placement.reads_geometry or self.root.depth.reads_geometry)

    def _composed(
        self, indices: Sequence[int], laps: Laps, progress: Progress
    ) -> Iterator[list[Composite]]:
        recipes = self.plan.recipes(indices)
        batch_size = self.root.depth.batch_size
        batch_samples = batch_size if batch_size > 1 else samples_per_batch(self.root.canvas)
        while batch := list(islice(recipes, batch_samples)):
            laps("source")
            placed = []
            for recipe in batch:
                progress.at(recipe.index)
                placed.append(self._placed(recipe, laps))
            composites = []
            for one in placed:
                progress.at(one.recipe.index)
                composites.append(self._composer.blend(one))
            laps("blend")
            yield composites

    def _placed(self, recipe: Recipe, laps: Laps) -> Placed:
        while True:
            try:
                return self._composer.place(recipe, laps)
            except NoPlaceError as error:
                again = self.plan.redrawn(recipe)
                if again is None:
                    tries = f" (nor with {recipe.attempt} other draws)" if recipe.attempt else ""
                    raise DepthmaskError(f"sample {recipe.index}: {error}{tries}") from None
                recipe = again

    def _annotate(self, composites: list[Composite], progress: Progress) -> list[Float32 | None]:
        if isinstance(self.root.depth, Estimator):
            forks.network(f"depth={self.root.depth.name}")
        batch_size = self.root.depth.batch_size
        depths: list[Float32 | None] = []
        for first in range(0, len(composites), batch_size):
            progress.at(composites[first].recipe.index)
            depths += self.root.depth.annotate(composites[first : first + batch_size])
        return depths

    def _sample(self, composite: Composite, depth: Float32 | None) -> Sample:
        check_depth(depth, self.contract, composite.recipe.key)
        return Sample(
            key=composite.recipe.key,
            image=composite.image,
            mask=composite.mask,
            instances=composite.instances if self._keeps_instances else None,
            depth=depth,
            meta=describe(composite, labels=self.root.encode.labels is Labels.coco),
            background=composite.background.image,
            touched=composite.touched,
        )

    @property
    def _keeps_instances(self) -> bool:
        return self.root.encode.instances is not InstancesFormat.none

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self.root.encode)

    @cached_property
    def _composer(self) -> Composer:
        source, size = self.root.source, self.root.canvas
        library = Library(source, size, self._background)
        return Composer(self.root.seed, self.root.placement, self.root.blend, library)

    def _background(self, key: str) -> Background:
        """The background with as much geometry as the stages read."""
        if not self.reads_geometry:
            return self.root.source.background(key, self.root.canvas)
        background = self.geometry.background(key)
        if self.root.placement.needs_ground:
            return with_ground(background, self.root.fov_deg)
        return background


def make_shard(job: Job, shard: Shard, progress: Progress) -> Record:
    """Make, write and publish one shard; returns its record.

    Raises `DepthmaskError`, which names the sample and its assets if a stage failed.
    """
    laps, statistics = Laps(), Statistics()
    progress.at(job.plan.indices(shard)[0])
    samples = job.encoded(shard, statistics, laps, progress)
    try:
        with Draft(job.output, shard.name) as draft:
            places = job.root.writer.write(draft.folder, shard.name, len(shard), samples)
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
            members={name: as_byte_ranges(of_member) for name, of_member in places.items()},
            statistics=statistics.as_sums(),
            seconds=dict(laps.seconds),
        )
        write_sealed(record_path(job.output, shard.name), record.as_json())
    except DepthmaskError:
        raise
    except OSError as error:
        raise disk_error(error, job.output) from error
    except Exception as error:
        sample = job.named(progress.begun)
        raise ShardError(f"{shard.name}: {sample}: {in_one_line(error)}") from error
    return record


def samples_per_batch(canvas: Size) -> int:
    """How many samples go through the stations side by side.

    8 of 160x160 stay in a core's cache, and each station's code as well: a tenth faster than one by
    one, and than 64. Of large canvases there is memory for one.
    """
    height, width = canvas
    return max(1, min(8, (1 << 20) // (height * width)))


def in_one_line(error: Exception) -> str:
    """What an error that nobody foresaw says, and where it came from."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = textwrap.shorten(f"{type(error).__name__}: {error}", 500)
    return f"{text} (in {frame.name}, {Path(frame.filename).name}:{frame.lineno})"
