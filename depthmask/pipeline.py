"""The whole flow in one loop.

    plan -> Recipe -> place, cover, blend -> Composite -> annotate -> Sample -> encode -> write

A shard is the unit of parallel work: a runner maps `make_shard(job, shard)` over the shards of
the plan, in one process or many, and never sees an image.
"""

from __future__ import annotations

import textwrap
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

from depthmask.compose.composer import Composer
from depthmask.compose.describe import describe
from depthmask.compose.library import Library
from depthmask.config.root import Root
from depthmask.data import (
    Background,
    Composite,
    DepthContract,
    Encoded,
    Float32,
    Recipe,
    Sample,
    Size,
)
from depthmask.depth.base import Estimator
from depthmask.depth.contract import check_depth
from depthmask.encode import Labels
from depthmask.errors import DepthmaskError, NoPlaceError, ShardError
from depthmask.geometry.cache import GeometryCache
from depthmask.geometry.estimated import as_geometry
from depthmask.geometry.ground import with_ground
from depthmask.output.publish import Draft, disk_error, write_sealed
from depthmask.output.record import Record, as_places, record_path
from depthmask.overlap import ahead
from depthmask.plan import Plan, Shard
from depthmask.statistics import Statistics
from depthmask.timing import Laps


class Progress:
    """Which sample a stage is at, to be named if it fails, and how many are made."""

    def __init__(self, made: Callable[[int], None] = lambda samples: None) -> None:
        self.begun = 0
        self.made = made
        """To be called with the number of samples made since the last call."""

    def at(self, index: int) -> None:
        """A stage begins to work at this sample."""
        self.begun = index


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

    def batches(
        self, indices: Sequence[int], laps: Laps, progress: Progress
    ) -> Iterator[list[Sample]]:
        """These samples, in groups that go through the stations together."""
        composed = self._composed(indices, laps, progress)
        in_thread = isinstance(self.root.depth, Estimator)
        # A thread must not say where this one is; a network's batch fails as a whole anyway.
        annotate = partial(self._annotate, progress=Progress() if in_thread else progress)
        for composites, annotated in ahead(annotate, composed, in_thread=in_thread):
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
        self.plan.recipe(index)
        (sample,) = next(self.batches([index], Laps(), Progress()))
        return sample

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
        likes = self.root.depth.batch_size
        together = likes if likes > 1 else _together(self.root.canvas)
        while batch := list(islice(recipes, together)):
            laps("source")
            composites = []
            for recipe in batch:
                progress.at(recipe.index)
                composites.append(self._composite(recipe, laps))
            yield composites

    def _composite(self, recipe: Recipe, laps: Laps) -> Composite:
        while True:
            try:
                return self._composer.compose(recipe, laps)
            except NoPlaceError as error:
                again = self.plan.redrawn(recipe)
                if again is None:
                    tries = f" (nor with {recipe.attempt} other draws)" if recipe.attempt else ""
                    raise DepthmaskError(f"sample {recipe.index}: {error}{tries}") from None
                recipe = again

    def _annotate(self, composites: list[Composite], progress: Progress) -> list[Float32 | None]:
        likes = self.root.depth.batch_size
        depths: list[Float32 | None] = []
        for first in range(0, len(composites), likes):
            progress.at(composites[first].recipe.index)
            depths += self.root.depth.annotate(composites[first : first + likes])
        return depths

    def _sample(self, composite: Composite, depth: Float32 | None) -> Sample:
        check_depth(depth, self.contract, composite.recipe.key)
        return Sample(
            key=composite.recipe.key,
            image=composite.image,
            mask=composite.mask,
            instances=composite.instances,
            depth=depth,
            meta=describe(composite, labels=self.root.encode.labels is Labels.coco),
        )

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

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


def make_shard(job: Generate, shard: Shard, progress: Progress) -> Record:
    """Make, write and publish one shard; returns its record.

    Raises `DepthmaskError`, which names the sample and its assets if a stage failed.
    """
    laps, statistics = Laps(), Statistics()
    indices = job.plan.indices(shard)
    progress.at(indices[0])

    def encoded() -> Iterator[Encoded]:
        for batch in job.batches(indices, laps, progress):
            for sample in batch:
                progress.at(sample.index)
                statistics.add(sample)
            laps("statistics")
            ready = []
            for sample in batch:
                progress.at(sample.index)
                ready.append(job.root.encode.encode(sample))
            laps("encode")
            for sample, members in zip(batch, ready, strict=True):
                progress.at(sample.index)
                yield members
            laps("write")
            progress.made(len(batch))

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
            seconds=dict(laps.seconds),
        )
        write_sealed(record_path(job.output, shard.name), record.as_json())
    except DepthmaskError:
        raise
    except OSError as error:
        raise disk_error(error, job.output) from error
    except Exception as error:
        sample = culprit(job, progress.begun)
        raise ShardError(f"{shard.name}: {sample}: {in_one_line(error)}") from error
    return record


def _together(canvas: Size) -> int:
    """How many samples go through the stations side by side.

    8 of 160x160 stay in a core's cache, and each station's code as well: a tenth faster than one by
    one, and than 64. Of large canvases there is memory for one.
    """
    height, width = canvas
    return max(1, min(8, (1 << 20) // (height * width)))


def culprit(job: Generate, index: int) -> str:
    """A sample and its assets, to be named when it, or its batch, could not be made."""
    recipe = job.plan.recipe(index)
    assets = ", ".join([recipe.background, *(key for key, _ in recipe.foregrounds)])
    return f"sample {index} ({assets})"


def in_one_line(error: Exception) -> str:
    """What an error that nobody foresaw says, and where it came from."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = textwrap.shorten(f"{type(error).__name__}: {error}", 500)
    return f"{text} (in {frame.name}, {Path(frame.filename).name}:{frame.lineno})"
