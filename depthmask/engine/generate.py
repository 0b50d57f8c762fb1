"""Generates samples from assets: the whole flow of data, in one loop.

plan -> Recipe -> place, stack, blend -> Composite -> annotate -> Sample -> encode -> write
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice

import numpy as np

from depthmask import forks
from depthmask.asset_store.folder import can_store
from depthmask.codec.sample import Encoder
from depthmask.compose.asset_cache import AssetCache
from depthmask.compose.asset_splits import leakage
from depthmask.compose.composer import Composer, PlacedRecipe
from depthmask.compose.depth_check import depth_fault
from depthmask.compose.describe import describe
from depthmask.compose.geometry_cache import GeometryCache
from depthmask.compose.stored_assets import (
    StoredJpegs,
    lacks_background,
    lacks_foreground,
    stored_background,
    stored_foreground,
)
from depthmask.concurrency import prefetch
from depthmask.data import (
    Background,
    Composite,
    DepthContract,
    Encoded,
    Float32,
    Recipe,
    Sample,
    Size,
    StripSource,
)
from depthmask.engine.display import Display
from depthmask.engine.job import Asset, Job, ShardLog
from depthmask.engine.labels import Labeller
from depthmask.errors import NoPlaceError
from depthmask.plan.layout import Shard
from depthmask.plan.plan import Plan
from depthmask.stage.calls import StageCalls, StageError
from depthmask.stages.depth.base import Depth, Estimator
from depthmask.stages.geometry.estimated import as_geometry
from depthmask.storage.dataset_info import DatasetFacts, SplitInfo

_BACKGROUND, _FOREGROUND, _FLOOR = "background", "foreground", "floor"
"""What of an asset to prepare."""
_JPEGS = 8
"""Of the memory for assets, an eighth is for coded backgrounds: a photograph takes a sixth of its
pixels with quality 95, most take less."""


@dataclass(frozen=True, repr=False)
class Generate(Job):
    """The job that generates samples from a plan and assets.

    geometry_contract: the meaning of the depth of backgrounds; None if they have none.
    expected_bytes: the estimated bytes of a sample.
    """

    plan: Plan
    geometry_contract: DepthContract | None
    expected_bytes: int

    def encoded(self, shard: Shard, log: ShardLog) -> Iterator[Encoded]:
        """Compose, annotate and encode the samples of a shard, batch by batch."""
        for batch in self.batches(self.plan.indices(shard), log):
            numbers = [sample.index for sample in batch]
            for sample in log.each(batch, numbers):
                log.add(sample)
            log.lap("statistics")
            encoding = self._encoder.encode(batch)
            ready = [next(encoding) for _ in log.each(batch, numbers)]
            log.lap("encode")
            yield from log.each(ready, numbers)
            log.lap("write")
            log.progress.made(len(batch))

    def batches(self, indices: Sequence[int], log: ShardLog) -> Iterator[list[Sample]]:
        """Yield the samples of these indices in batches, which pass each station together."""
        composed = self._composed(indices, log)
        in_thread = isinstance(self.root.depth, Estimator)
        # The thread must not record progress: this thread does. A network's batch fails as a whole.
        annotate = partial(self._annotate, log=ShardLog() if in_thread else log)
        for composites, annotated in prefetch(annotate, composed, in_thread=in_thread):
            numbers = [composite.recipe.index for composite in composites]
            log.progress.at(numbers[0])
            depths = annotated()
            log.lap("depth")
            samples = [
                self._sample(composite, depth)
                for composite, depth in zip(log.each(composites, numbers), depths, strict=True)
            ]
            if self.labeller:
                log.lap("labels")
            yield samples

    def sample(self, index: int) -> Sample:
        """One sample, the same as in a run; raises `IndexError` if it is not in the plan."""
        self.plan.require(index)
        (sample,) = next(self.batches([index], ShardLog()))
        return sample

    def named(self, index: int) -> str:
        """The index of a sample and the keys of its assets as text."""
        recipe = self.plan.recipe(index)
        assets = ", ".join([recipe.background, *(key for key, _ in recipe.foregrounds)])
        return f"sample {index} ({assets})"

    @property
    def sample_bytes(self) -> int:
        """The bytes of a sample as the writer stores it, estimated by `sample_size`."""
        return self.expected_bytes

    def dataset_facts(self) -> DatasetFacts:
        """Dataset facts for `dataset.json`, from the plan."""
        plan = self.plan
        return {
            "size": self.root.canvas,
            "variants": plan.variants,
            "splits": {
                split.name: SplitInfo(
                    share=split.share,
                    samples=plan.counts[split.name],
                    backgrounds=len(split.backgrounds),
                    foregrounds=len(split.foregrounds),
                )
                for split in plan.splits
            },
            "leakage": leakage(plan.splits, self.root.source, self.catalogue, self.root.split),
            "backgrounds": len(plan.backgrounds),
            "foregrounds": len(plan.foregrounds),
            "labels": self.labeller.infos(self.root),
        }

    def before_shards(self, display: Display, missing: Collection[Shard]) -> dict[str, float]:
        """Prepare what the asset store lacks, and measure the geometry that is not known."""
        backgrounds, foregrounds = self._needed(missing)
        source, size = self.root.source, self.root.canvas
        assets = [
            *((_BACKGROUND, key) for key in backgrounds if lacks_background(source, key, size)),
            *((_FOREGROUND, key) for key in foregrounds if lacks_foreground(source, key, size)),
        ]
        seconds = {"source": self._prepared(display, assets, "assets")}
        keys = self.backgrounds_to_measure()
        if keys:
            start = time.perf_counter()
            with display.bar("geometry", len(keys), "backgrounds") as advance:
                self.geometry.fill(keys, advance)
            seconds["geometry"] = time.perf_counter() - start
            floors = [(_FLOOR, key) for key in keys if self.geometry.lacks_floor(key)]
            seconds["source"] += self._prepared(display, floors, "floors")
        return seconds

    def _prepared(self, display: Display, assets: Sequence[Asset], title: str) -> float:
        """Have the runner prepare assets; returns the seconds that it took."""
        if not assets or not can_store():
            return 0.0
        start = time.perf_counter()
        calls = StageCalls(self.root.runner, "prepare")
        with display.bar(title, len(assets), title) as advance, calls:
            self.root.runner.prepare(self, assets, advance)
        return time.perf_counter() - start

    def _needed(self, missing: Iterable[Shard]) -> tuple[Collection[str], Collection[str]]:
        """The keys of the backgrounds and foregrounds that these shards need, apart from redraws.

        All keys, if there are more samples than assets.
        """
        plan, samples = self.plan, 0
        backgrounds, foregrounds = dict[str, None](), dict[str, None]()
        for shard in missing:
            samples += len(shard)
            if samples > len(plan.backgrounds) + len(plan.foregrounds):
                return plan.backgrounds, plan.foregrounds
            for recipe in plan.recipes(plan.indices(shard)):
                backgrounds[recipe.background] = None
                foregrounds |= {key: None for key, _ in recipe.foregrounds}
        return backgrounds, foregrounds

    def prepare(self, asset: Asset) -> None:
        """Put an asset, or the floor of a background, into the asset store."""
        kind, key = asset
        if kind == _BACKGROUND:
            stored_background(self.root.source, key, self.root.canvas)
        elif kind == _FOREGROUND:
            stored_foreground(self.root.source, key, self.root.canvas)
        else:
            self.geometry.background(key)

    def backgrounds_to_measure(self) -> list[str]:
        """The keys of the backgrounds whose depth a network has to give, cached or not."""
        return self.geometry.to_measure(self.plan.backgrounds) if self.reads_geometry else []

    @cached_property
    def geometry(self) -> GeometryCache:
        """The geometry of the backgrounds, for the stages that read it."""
        root, contract = self.root, self.geometry_contract
        fov_deg = root.fov_deg if root.placement.needs_ground else None
        return GeometryCache(
            as_geometry(root.geometry), root.source, root.canvas, contract, fov_deg
        )

    @property
    def reads_geometry(self) -> bool:
        """Whether any stage reads the geometry of backgrounds."""
        readers = (self.root.placement, self.root.depth, self.labeller)
        return any(reader.reads_geometry for reader in readers)

    @cached_property
    def labeller(self) -> Labeller:
        """The label stages."""
        return Labeller(self.root, self.contract)

    def _composed(self, indices: Sequence[int], log: ShardLog) -> Iterator[list[Composite]]:
        recipes = self.plan.recipes(indices)
        batch_size = self.root.depth.batch_size
        count = batch_size if batch_size > 1 else samples_per_batch(self.root.canvas)
        while batch := list(islice(recipes, count)):
            log.lap("source")
            numbers = [recipe.index for recipe in batch]
            placed = [self._placed(recipe, log) for recipe in log.each(batch, numbers)]
            composites = list(map(self._composer.blend, log.each(placed, numbers)))
            log.lap("blend")
            yield composites

    def _placed(self, recipe: Recipe, log: ShardLog) -> PlacedRecipe:
        """Place the foregrounds of a recipe; draws other assets if there is no position."""
        while True:
            try:
                return self._composer.place(recipe, log.lap)
            except NoPlaceError as error:
                log.redraws.add(error, recipe.background)
                redrawn = self.plan.redrawn(recipe)
                if redrawn is None:
                    redraws = f" (nor with {recipe.attempt} other draws)" if recipe.attempt else ""
                    raise StageError(self.root.placement, f"{error}{redraws}") from None
                recipe = redrawn

    def _annotate(self, composites: list[Composite], log: ShardLog) -> list[Float32 | None]:
        if isinstance(self.root.depth, Estimator):
            forks.network(f"depth={self.root.depth.name}")
        batch_size = self.root.depth.batch_size
        depths: list[Float32 | None] = []
        for first in range(0, len(composites), batch_size):
            log.progress.at(composites[first].recipe.index)
            depths += depths_of(self.root.depth, composites[first : first + batch_size])
        return depths

    def _sample(self, composite: Composite, depth: Float32 | None) -> Sample:
        if fault := depth_fault(depth, self.contract):
            raise StageCalls(self.root.depth, "annotate").fault(f"returned {fault}")
        meta = describe(composite)
        labels = self.labeller.add(composite, depth, meta) if self.labeller else {}
        # Only stages must not write into them: a sample belongs to whoever asked for it.
        composite.image.setflags(write=True)
        composite.mask.setflags(write=True)
        return Sample(
            key=composite.recipe.key,
            image=composite.image,
            mask=composite.mask,
            instances=labels.get("instances"),
            depth=depth,
            meta=meta,
            strip_source=None
            if composite.touched is None
            else StripSource(
                composite.background.image, composite.touched, composite.background.key
            ),
            labels=labels,
        )

    @cached_property
    def _encoder(self) -> Encoder:
        root = self.root
        settings = root.encode.quality, root.encode.subsampling
        kept = StoredJpegs(root.source, root.canvas, settings)
        return Encoder(root.encode, self.labeller.outputs, kept, self._asset_bytes // _JPEGS)

    @cached_property
    def _asset_bytes(self) -> int:
        """How much memory this process may take for assets and their coded files."""
        return self.root.runner.asset_bytes(self)

    @cached_property
    def _composer(self) -> Composer:
        source, size = self.root.source, self.root.canvas
        most_bytes = self._asset_bytes - self._asset_bytes // _JPEGS
        blend = self.root.blend
        variants = [blend.variant(number) for number in range(blend.variants)]
        library = AssetCache(source, size, self._background, most_bytes, variants)
        return Composer(self.root.seed, self.root.placement, blend, library)

    def _background(self, key: str) -> Background:
        """The background, with the geometry that the stages read."""
        if self.reads_geometry:
            return self.geometry.background(key)
        return stored_background(self.root.source, key, self.root.canvas)


def depths_of(depth: Depth, composites: Sequence[Composite]) -> Sequence[Float32 | None]:
    """The depth maps of composites; raises `StageError` unless there is one for each."""
    calls = StageCalls(depth, "annotate")
    with calls:
        depths = depth.annotate(composites)
        # Counted inside, since a plugin may return a generator.
        depths = depths if isinstance(depths, list | np.ndarray | Sequence) else list(depths)
    if len(depths) != len(composites):
        raise calls.fault(
            f"returned {len(depths)} maps for {len(composites)} composites; expected one for each"
        )
    return depths


def samples_per_batch(canvas: Size) -> int:
    """How many samples pass each station together when there is no network.

    8 samples of 160x160 fit into the cache of a core, which is a tenth faster than one sample at a
    time or 64, and than 32 where two workers have a core each: 5,600 beside 4,850 pairs a second.
    With a large canvas it is one sample, to save memory.
    """
    height, width = canvas
    return max(1, min(8, (1 << 20) // (height * width)))
