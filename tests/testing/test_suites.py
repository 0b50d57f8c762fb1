"""The suites notice stages that break the rules."""

from __future__ import annotations

import contextlib
import itertools
import logging
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthmask import (
    AssetCatalogue,
    Background,
    Blend,
    Composite,
    Depth,
    DepthContract,
    DepthKind,
    DepthmaskError,
    Encoded,
    Estimator,
    FinishedSample,
    Float32,
    Foreground,
    Job,
    Layer,
    Members,
    Patch,
    PublishedDataset,
    Record,
    Scene,
    Shard,
    ShardReader,
    Size,
    StorePath,
    UInt8,
    setting,
    stage,
    testing,
)
from depthmask.codec.sample import Encode, ImageFormat
from depthmask.engine.runner.local import Local
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.depth.layered import Layered
from depthmask.stages.geometry.source import SourceGeometry
from depthmask.stages.labels.instances import Instances
from depthmask.stages.placement.random import Random
from depthmask.stages.source.rooms import Rooms
from depthmask.stages.writer.webdataset import WebDataset
from depthmask.testing.base import StageSuite
from depthmask.testing.job import rooms, small_job

_count = itertools.count()


@stage("restless")
class Restless(Random):
    """Chance of its own."""

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        top = next(_count) % 20
        return Layer(foreground.key, foreground.label, top, 0, *foreground.size, flip)


@stage("rearranging")
class Rearranging(Random):
    """An arrangement of its own chance."""

    def arrange(self, scene: Scene, rng: np.random.Generator) -> int:
        return next(_count) % 20

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        top = scene.arrangement
        return Layer(foreground.key, foreground.label, top, 0, *foreground.size, flip)


@stage("scattering")
class Scattering(Random):
    """A joint arrangement by spawned generators."""

    def arrange(self, scene: Scene, rng: np.random.Generator) -> list[int]:
        return [int(child.integers(9)) for child in rng.spawn(len(scene.foregrounds))]

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        assert scene.foregrounds[len(scene.layers)] is foreground
        top, (child,) = scene.arrangement[len(scene.layers)], rng.spawn(1)
        left = int(child.integers(9))
        return Layer(foreground.key, foreground.label, top, left, *foreground.size, flip)


@stage("annotating")
class Annotating(Random):
    """Metadata that is no JSON."""

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        return replace(super().place(scene, foreground, flip, rng), meta={"index": np.int64(1)})


@stage("fractions")
class Fractions(Random):
    """No whole pixels."""

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        top = rng.random() * 9
        return Layer(foreground.key, foreground.label, top, 0, *foreground.size, flip)  # type: ignore[arg-type]


@stage("spilling")
class Spilling(Alpha):
    """Beyond the patch."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        canvas[-1, -1] = 0
        return super().blend(canvas, patch, top, left)


@stage("faint")
class Faint(Blend):
    """Nothing shows."""

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        return True


@stage("drifting")
class Drifting(Layered):
    """Depends on what came before."""

    def annotate(self, composites: Sequence[Composite]) -> list[Float32]:
        shift = np.float32(next(_count) % 5)
        return [one + shift for one in super().annotate(composites)]


@stage("boastful")
class Boastful(Depth):
    """Promises nothing and gives something."""

    def contract(self, size: Size, geometry: DepthContract | None) -> DepthContract | None:
        return None

    def annotate(self, composites: Sequence[Composite]) -> Sequence[Float32 | None]:
        return [np.ones((4, 4), np.float32) for _ in composites]


@stage("relative")
class Relative(Estimator):
    """Any unit, and offered as geometry."""

    kind_of_depth: DepthKind = setting(DepthKind.relative, help="kind")

    @property
    def cache_key(self) -> str:
        return "relative"

    def contract(self, size: Size, geometry: DepthContract | None) -> DepthContract | None:
        contract = SourceGeometry().contract(size, 1)
        return replace(contract, kind=self.kind_of_depth)

    def estimate(self, images: UInt8) -> Float32:
        return np.ones(images.shape[:3], np.float32)


@stage("honest")
class Honest(Relative):
    """Any unit, and not offered."""

    serves_as_geometry = False


@stage("dated")
class Dated(WebDataset):
    """The time of day in the file."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        places = super().write(folder, shard, count, samples)
        with (folder / f"{shard}.tar").open("ab") as file:
            file.write(str(time.perf_counter_ns()).encode())
        return places


@stage("forgiving")
class Forgiving(WebDataset):
    """Says nothing of a full disk."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        try:
            return super().write(folder, shard, count, samples)
        except OSError:
            return {}


@stage("lossy")
class Lossy(Local):
    """Leaves out a shard, without a word."""

    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        return super().run(job, list(shards)[:-1], made)


@stage("captioned")
class Captioned(Rooms):
    """Metadata of the kind that the setting says."""

    meta: Any = setting(None, help="")

    def foreground(self, key: str, size: Size) -> Foreground:
        return replace(super().foreground(key, size), meta=self.meta)


@stage("forgetting")
class Forgetting(Captioned):
    """Other metadata in another process."""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "meta": None}


@stage("hazy")
class Hazy(Rooms):
    """Cut-outs with faint alpha far around them."""

    def foreground(self, key: str, size: Size) -> Foreground:
        one = super().foreground(key, size)
        rgba = np.pad(one.rgba, ((20, 20), (20, 20), (0, 0)), constant_values=1)
        return Foreground(one.key, one.label, rgba)


@stage("moody")
class Moody(Rooms):
    """Other pictures every time."""

    def foreground(self, key: str, size: Size) -> Foreground:
        one = super().foreground(key, size)
        rgba = one.rgba.copy()
        rgba[..., 0] = next(_count) % 256
        return Foreground(one.key, one.label, rgba)

    def check(self, size: Size) -> AssetCatalogue:
        return AssetCatalogue(str(next(_count)))


def test_placements(tmp_path: Path) -> None:
    suite = testing.PlacementSuite()
    with pytest.raises(AssertionError):
        suite.test_all_chance_comes_from_its_generator(Restless())
    with pytest.raises(AssertionError):
        suite.test_a_sample_is_the_same_alone_and_among_others(Restless(), tmp_path)
    with pytest.raises(AssertionError):
        suite.test_proposes_boxes(Fractions())
    with pytest.raises(AssertionError):
        suite.test_all_chance_comes_from_its_generator(Rearranging())
    with pytest.raises(DepthmaskError, match="meta must be plain JSON data"):
        suite.test_proposes_boxes(Annotating())
    suite.test_proposes_boxes(Scattering())
    suite.test_all_chance_comes_from_its_generator(Scattering())
    suite.test_a_sample_is_the_same_alone_and_among_others(Scattering(), tmp_path / "scattering")


def test_blends() -> None:
    suite = testing.BlendSuite()
    with pytest.raises(AssertionError):
        suite.test_changes_nothing_outside_the_patch(Spilling())
    with pytest.raises(AssertionError):
        suite.test_what_is_opaque_shows(Faint())


def test_depths(tmp_path: Path) -> None:
    suite = testing.DepthSuite()
    drifting, boastful = Drifting(), Boastful()
    with pytest.raises(AssertionError):
        suite.test_the_same_alone_and_among_others(
            drifting, small_job(tmp_path / "a", depth=drifting)
        )
    with pytest.raises(Exception, match="a map; its contract promises none"):
        suite.test_keeps_its_contract(boastful, small_job(tmp_path / "b", depth=boastful))


def test_estimators_that_serve_as_geometry() -> None:
    suite = testing.DepthSuite()
    with pytest.raises(AssertionError, match="relative gives relative, and its class says"):
        suite.test_geometry_has_metres(Relative())
    with pytest.raises(AssertionError, match="serves_as_geometry = False"):
        suite.test_geometry_has_metres(Honest(kind_of_depth=DepthKind.metric_z))
    for fine in (Honest(), Relative(kind_of_depth=DepthKind.metric_z), Layered()):
        suite.test_geometry_has_metres(fine)


def test_writers(tmp_path: Path) -> None:
    suite = testing.WriterSuite()
    with pytest.raises(AssertionError):
        suite.test_the_same_samples_give_the_same_bytes(Dated(), tmp_path)
    with pytest.raises(pytest.fail.Exception):
        suite.test_a_disk_that_takes_no_more_is_an_error(Forgiving(), tmp_path)
    suite.test_samples_come_back_in_any_order(
        WebDataset(), Encode(image=ImageFormat.png), tmp_path / "good"
    )


def test_runners(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        testing.RunnerSuite().test_makes_every_shard_once(Lossy(workers=1), tmp_path)


@stage("unruly")
class Unruly(Rooms):
    """Rooms in groups that are no texts."""

    def foreground_group(self, key: str) -> str | None:
        return 7  # type: ignore[return-value]


def test_groups_of_sources() -> None:
    suite = testing.SourceSuite()
    suite.test_groups_are_the_same_everywhere(Rooms(rooms=2, furniture=3))
    with pytest.raises(AssertionError):
        suite.test_groups_are_the_same_everywhere(Unruly(rooms=2, furniture=3))


def test_sources(tmp_path: Path) -> None:
    suite = testing.SourceSuite()
    moody = Moody(rooms=2, furniture=3)
    with pytest.raises(AssertionError):
        suite.test_a_key_always_gives_the_same_pixels(moody)
    with pytest.raises(AssertionError):
        suite.test_the_check_says_what_the_assets_are(moody)
    suite.test_a_key_always_gives_the_same_pixels(rooms())
    with pytest.raises(AssertionError, match="item0000 has a rim of faint alpha"):
        suite.test_foregrounds_are_trimmed_cut_outs(Hazy(rooms=2, furniture=3))
    suite.test_foregrounds_are_trimmed_cut_outs(Rooms(rooms=2, furniture=3))
    rooms_with = partial(Captioned, rooms=2, furniture=3, oversample=1)
    suite.test_metadata_reaches_the_samples(rooms_with(meta={"row": 1}), tmp_path / "good")
    with pytest.raises(
        DepthmaskError, match=r"foreground .*: meta must be a dict of plain JSON data"
    ):
        suite.test_metadata_reaches_the_samples(
            rooms_with(meta={"row": float("nan")}), tmp_path / "bad"
        )
    forgetting = Forgetting(rooms=2, furniture=3, oversample=1, meta={"row": 1})
    with pytest.raises(AssertionError):
        suite.test_a_key_always_gives_the_same_pixels(forgetting)


@stage("hidden")
class Hidden(Random):
    """In no package."""

    note: str = setting("", help="")


def test_every_stage() -> None:
    class Suite(testing.PlacementSuite):
        stage_class = Hidden

    with pytest.raises(Exception, match="placement=hidden: no such placement"):
        Suite().test_can_be_chosen_on_the_command_line()
    with pytest.raises(AssertionError):
        Suite().test_stage_and_settings_are_documented()


# Stages that print or fork, in each kind.


def print_to_stdout() -> None:
    print("working")


def print_to_stderr() -> None:
    print("working", file=sys.stderr)


def write_to_the_descriptor() -> None:
    """As a library in C prints."""
    os.write(2, b"working")


def fork_a_process() -> None:
    if os.fork() == 0:
        os._exit(0)


def fork_secretly() -> None:
    with contextlib.suppress(Exception):
        fork_a_process()


def fork_by_multiprocessing() -> None:
    process = multiprocessing.get_context("fork").Process(target=print)
    process.start()
    process.join()


def fork_a_pool() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        pool.submit(os.getpid).result()


def behave_well() -> None:
    logging.getLogger("depthmask.noisy").warning("a message")
    subprocess.run(["true"], check=True)


DEEDS = {
    deed.__name__: deed
    for deed in (
        *(print_to_stdout, print_to_stderr, write_to_the_descriptor, fork_a_process),
        *(fork_secretly, fork_by_multiprocessing, fork_a_pool, behave_well),
    )
}


@stage("noisy_source")
class NoisySource(Rooms):
    """Does something at each cut-out."""

    deed: str = setting("behave_well", help="what it does")

    def foreground(self, key: str, size: Size) -> Foreground:
        DEEDS[self.deed]()
        return super().foreground(key, size)


@stage("noisy_geometry")
class NoisyGeometry(SourceGeometry):
    """Does something when it measures."""

    deed: str = setting("behave_well", help="what it does")

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        DEEDS[self.deed]()
        return super().measure(backgrounds)


@stage("noisy_placement")
class NoisyPlacement(Random):
    """Does something at each layer."""

    deed: str = setting("behave_well", help="what it does")

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        DEEDS[self.deed]()
        return super().place(scene, foreground, flip, rng)


@stage("noisy_blend")
class NoisyBlend(Alpha):
    """Does something at each patch."""

    deed: str = setting("behave_well", help="what it does")

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        DEEDS[self.deed]()
        return super().blend(canvas, patch, top, left)


@stage("noisy_depth")
class NoisyDepth(Layered):
    """Does something at each batch."""

    deed: str = setting("behave_well", help="what it does")

    def annotate(self, composites: Sequence[Composite]) -> list[Float32]:
        DEEDS[self.deed]()
        return super().annotate(composites)


@stage("noisy_labels")
class NoisyLabels(Instances):
    """Does something at each sample."""

    deed: str = setting("behave_well", help="what it does")

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        DEEDS[self.deed]()
        return super().label(sample, rng)


@stage("noisy_writer")
class NoisyWriter(WebDataset):
    """Does something when it reads."""

    deed: str = setting("behave_well", help="what it does")

    def read(self, folder: StorePath, record: Record) -> ShardReader:
        DEEDS[self.deed]()
        return super().read(folder, record)


@stage("noisy_runner")
class NoisyRunner(Local):
    """Does something when it runs."""

    deed: str = setting("behave_well", help="what it does")

    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        DEEDS[self.deed]()
        return super().run(job, shards, made)


@stage("noisy_birth")
class NoisyBirth(Random):
    """Does something when it is made."""

    deed: str = setting("behave_well", help="what it does")

    def __post_init__(self) -> None:
        DEEDS[self.deed]()


@stage("noisy_derive")
class NoisyDerive(WebDataset):
    """Does something at the end of a run."""

    deed: str = setting("behave_well", help="what it does")

    def derive(self, dataset: PublishedDataset) -> None:
        DEEDS[self.deed]()


NOISY: list[tuple[type[StageSuite], Any]] = [
    (testing.SourceSuite, partial(NoisySource, rooms=2, furniture=3, oversample=1)),
    (testing.GeometrySuite, NoisyGeometry),
    (testing.PlacementSuite, NoisyPlacement),
    (testing.PlacementSuite, NoisyBirth),
    (testing.BlendSuite, NoisyBlend),
    (testing.DepthSuite, NoisyDepth),
    (testing.LabelsSuite, NoisyLabels),
    (testing.WriterSuite, NoisyWriter),
    (testing.WriterSuite, NoisyDerive),
    (testing.RunnerSuite, partial(NoisyRunner, workers=1)),
]
KINDS_OF_STAGES = pytest.mark.parametrize(
    ("suite_class", "make"), NOISY, ids=[getattr(make, "func", make).__name__ for _, make in NOISY]
)


@KINDS_OF_STAGES
@pytest.mark.usefixtures("stages_of_tests")
@pytest.mark.parametrize("deed", [name for name in DEEDS if name.startswith(("print", "write"))])
def test_printing(
    suite_class: type[StageSuite],
    make: Callable[..., Any],
    deed: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    noisy, suite = make(deed=deed), suite_of(suite_class, make)
    with pytest.raises(AssertionError, match="working"):
        suite.test_prints_nothing(noisy, tmp_path, capfd)


@KINDS_OF_STAGES
@pytest.mark.usefixtures("stages_of_tests")
@pytest.mark.parametrize("deed", [name for name in DEEDS if name.startswith("fork")])
def test_forking(
    suite_class: type[StageSuite], make: Callable[..., Any], deed: str, tmp_path: Path
) -> None:
    suite = suite_of(suite_class, make)
    # One that forks when it is made has forked by now.
    noisy = make(deed="behave_well")
    noisy.deed = deed
    with pytest.raises((AssertionError, DepthmaskError), match=r"forks a process|os\.fork"):
        suite.test_forks_no_process(noisy, tmp_path)


@KINDS_OF_STAGES
@pytest.mark.usefixtures("stages_of_tests")
def test_what_is_allowed(
    suite_class: type[StageSuite],
    make: Callable[..., Any],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    good, suite = make(), suite_of(suite_class, make)
    suite.test_prints_nothing(good, tmp_path / "prints", capfd)
    suite.test_forks_no_process(good, tmp_path / "forks")


def suite_of(suite_class: type[StageSuite], make: Callable[..., Any]) -> StageSuite:
    """The suite, with the class of the stage, as a package writes it."""
    suite: StageSuite = type("Suite", (suite_class,), {"stage_class": type(make())})()
    return suite


@pytest.mark.parametrize(
    "code", ["print('working')", "import sys; sys.stderr.write('working')", "import os; os.fork()"]
)
def test_imports_that_print_or_fork(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    name = f"deed_{sum(map(ord, code))}"
    (tmp_path / f"{name}.py").write_text(code)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    imported = type("Imported", (Random,), {"__module__": name})
    suite = suite_of(testing.PlacementSuite, imported)
    if "fork" in code:
        with pytest.raises(AssertionError, match="forks=1"):
            suite.test_forks_no_process(Random(), tmp_path)
    else:
        with pytest.raises(AssertionError, match="working"):
            suite.test_prints_nothing(Random(), tmp_path, capfd)
