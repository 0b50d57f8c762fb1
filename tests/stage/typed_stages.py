"""What type checkers and editors know about stages; `mypy` checks this file, nothing runs it.

Each `type: ignore` is a mistake of a plugin that mypy has to find: it refuses one that is not
needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, assert_type

import numpy as np

import depthmask
from depthmask import (
    AssetCatalogue,
    Background,
    Blend,
    Composite,
    Depth,
    DepthContract,
    Encoded,
    Estimator,
    FinishedSample,
    Float32,
    Foreground,
    Geometry,
    Job,
    LabelOutput,
    Labels,
    Layer,
    Members,
    Patch,
    Placement,
    PublishedDataset,
    Record,
    Runner,
    Sample,
    Scene,
    Shard,
    ShardReader,
    Size,
    SizeEstimate,
    Source,
    StorePath,
    UInt8,
    Writer,
    setting,
    stage,
)
from depthmask.engine.virtual import Virtual
from depthmask.reading.dataset import Dataset
from depthmask.testing import BlendSuite, PlacementSuite


@stage("typed")
class Typed(Placement):
    """All kinds of settings, and a method with the types that the base class declares."""

    count: int = setting(3, ge=1, help="a number")
    weights: Path = setting(help="required", by_content=True)
    shares: dict[str, float] = setting({}, help="by label")
    least_m: float | None = setting(None, help="metres; null: any")

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        assert_type(self.count, int)
        assert_type(self.weights, Path)
        assert_type(self.shares, dict[str, float])
        assert_type(self.least_m, float | None)
        assert_type(self.min_visible, float)
        assert_type(scene.size, tuple[int, int])
        assert_type(scene.layers, tuple[Layer, ...])
        assert_type(scene.background.depth_m, Float32 | None)
        assert_type(foreground.rgba, UInt8)
        assert_type(rng.random(), float)
        return depthmask.scaled_layer(foreground, top=0, left=0, scale=1, flip=flip)


def made_by_keywords() -> None:
    """A stage is made by keywords, as a config makes it."""
    assert_type(Typed(weights=Path("w"), count=4, max_overlap=1.0), Typed)
    Typed(weights=Path("w"), count="4")  # type: ignore[arg-type]
    Typed(weights=Path("w"), cuont=4)  # type: ignore[call-arg]
    Typed(4, weights=Path("w"))  # type: ignore[call-arg]


class WrongDefaults(Blend):
    """A default of another type than its setting."""

    strength: float = setting("strong", help="0..1")  # type: ignore[assignment]
    levels: list[int] = setting(["a"], help="levels")  # type: ignore[list-item]
    size: int = setting(3)  # type: ignore[call-overload]


@stage("unfinished")
class Unfinished(Labels):
    """A method that has to be written is missing."""

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        return []


Unfinished()  # type: ignore[abstract]


class WrongSource(Source):
    """Results and arguments of other types."""

    def backgrounds(self) -> int:  # type: ignore[override]
        return 3

    def background(self, key: str) -> Background:  # type: ignore[override]
        raise NotImplementedError

    def foreground(self, key: str, size: Size) -> UInt8:  # type: ignore[override]
        raise NotImplementedError

    def check(self, size: Size) -> None:  # type: ignore[override]
        return None


class WrongGeometry(Geometry):
    """One background instead of all, and no text."""

    def measure(self, backgrounds: Sequence[Background]) -> Background:  # type: ignore[override]
        raise NotImplementedError

    def needs_measuring(self) -> bool:  # type: ignore[override]
        return True


class WrongPlacement(Placement):
    """A box instead of a layer."""

    def place(  # type: ignore[override]
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> tuple[int, int, int, int]:
        return 0, 0, 1, 1


class WrongBlend(Blend):
    """A new canvas instead of a change in place."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> UInt8:  # type: ignore[override]
        return canvas


class WrongDepth(Depth):
    """One map instead of one for each composite, and images instead of composites."""

    def annotate(self, composites: UInt8) -> Sequence[Float32]:  # type: ignore[override]
        raise NotImplementedError

    def contract(self, size: Size) -> DepthContract:  # type: ignore[override]
        raise NotImplementedError


class WrongEstimator(Estimator):
    """No map."""

    def estimate(self, images: UInt8) -> None:  # type: ignore[override]
        return None


class WrongLabels(Labels):
    """Values without their names."""

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> UInt8:  # type: ignore[override]
        raise NotImplementedError


class WrongWriter(Writer):
    """A path instead of byte ranges, and a reader that is none."""

    def write(  # type: ignore[override]
        self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]
    ) -> Path:
        return folder

    def read(self, folder: StorePath, record: Record) -> bytes:  # type: ignore[override]
        raise NotImplementedError

    def most_samples(self, expected: SizeEstimate) -> float:  # type: ignore[override]
        return 0.5


class WrongRunner(Runner):
    """Names of shards instead of records."""

    def run(  # type: ignore[override]
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[str]:
        raise NotImplementedError


class TestTyped(PlacementSuite):
    """The suite knows the class of its stages."""

    stage_class = Typed


class TestWrong(BlendSuite):
    """The suite of another kind."""

    stage_class = Typed  # type: ignore[assignment]


def stages_get(
    source: Source, labels: Labels, writer: Writer, depth: Depth, runner: Runner, job: Job
) -> None:
    """The types of what the framework gets from stages, and gives to them."""
    assert_type(source.check((1, 1)), AssetCatalogue)
    assert_type(source.foregrounds(), Sequence[str])
    assert_type(depth.annotate([]), Sequence[Float32 | None])
    assert_type(runner.run(job, [], lambda count: None), Iterator[Record])


def finished_samples_have(sample: FinishedSample, record: Record, writer: Writer) -> None:
    """Labels and writers."""
    assert_type(sample.composite, Composite)
    assert_type(sample.depth, Float32 | None)
    assert_type(sample.visible(1).sum(), Any)
    assert_type(writer.stored_as, Callable[..., Any])  # type: ignore[assert-type]
    reader: ShardReader = writer.read(depthmask.open("OUT").path, record)
    assert_type(reader.read(0, "000000000"), Encoded)
    members: Members = {"jpg": [(0, 0, 10)]}
    assert_type(members, Mapping[str, Sequence[tuple[int, int, int]]])


def datasets_are(dataset: PublishedDataset) -> None:
    """Reading."""
    assert_type(depthmask.open("OUT"), Dataset)
    assert_type(depthmask.open("OUT")[0], Sample)
    assert_type(depthmask.open("OUT").split("val"), Dataset)
    assert_type(depthmask.virtual(["samples=3"]), Virtual)
    assert_type(depthmask.virtual(["samples=3"])[0], Sample)
    assert_type([sample.image for sample in dataset], list[UInt8])
    depthmask.opne("OUT")  # type: ignore[attr-defined]


@depthmask.hookimpl
def depthmask_commands() -> list[depthmask.Command]:
    """A marked function keeps its type."""
    return [depthmask.Command("upload", "upload a dataset", lambda words: 0)]


assert_type(depthmask_commands(), list[depthmask.Command])
