"""What several test files need: a cache of their own, tiny assets, examples that repeat."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from PIL import Image

from depthmask.config.plugins import registry
from depthmask.data import AssetCatalogue, Background, Foreground, Recipe, Sample, Size, sample_key
from depthmask.errors import DepthmaskError
from depthmask.stage import stage
from depthmask.stages.source.base import Source
from tests.support.s3_server import Server, s3_server

pytest_plugins = ["tests.support.weights"]
# Packages of others: tests/config/test_old_plugins.py and tests/test_third_parties.py run their
# tests where they are installed.
collect_ignore = ["plugins", "plugins_of_0_1_0"]

# The same examples in every run: a red test stays red until its cause is mended.
hypothesis.settings.register_profile(
    "depthmask", deadline=None, derandomize=True, max_examples=50, database=None
)
hypothesis.settings.load_profile("depthmask")


# What a shell starts in the background is deaf to Ctrl-C, and so would be what tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST = (
    *("test_densedepth.py", "docs/test_words.py", "test_kill.py", "cli/test_sweep.py"),
    "test_third_parties.py",
)
"""Files that take half a minute and more: begun last, they would be waited for alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONGEST))


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Measured geometry goes to a folder of this session, never to the user's cache."""
    before = os.environ.get("DEPTHMASK_CACHE")
    os.environ["DEPTHMASK_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["DEPTHMASK_CACHE"]
    else:
        os.environ["DEPTHMASK_CACHE"] = before


@pytest.fixture(autouse=True, scope="session")
def no_stages_of_tests() -> None:
    """The stage classes of test modules cannot be chosen, so that no test sees those of another."""
    registry().packages.add("tests")


@pytest.fixture
def stages_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stage classes of test modules be chosen, as those of a script."""
    monkeypatch.setattr(registry(), "packages", registry().packages - {"tests"})


@pytest.fixture(scope="session")
def s3() -> Iterator[Server]:
    """An S3 server with the bucket `s3://bucket`; the environment points to it from here on."""
    with s3_server() as server:
        yield server


@pytest.fixture
def no_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that get a signal go unmeasured.

    An exception out of a signal handler may find the measuring between taking its lock and giving
    it back, and then every thread waits for it for ever (`Collector.lock_data` of coverage).
    """
    for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS_")]:
        monkeypatch.delenv(name)


@stage("tiny")
class Tiny(Source):
    """Backgrounds and foregrounds out of memory, at whatever size they have."""

    def __post_init__(self) -> None:
        self.scenes: dict[str, Background] = {}
        self.things: dict[str, Foreground] = {}

    def backgrounds(self) -> Sequence[str]:
        return sorted(self.scenes)

    def foregrounds(self) -> Sequence[str]:
        return sorted(self.things)

    def background(self, key: str, size: Size) -> Background:
        return self.scenes[key]

    def foreground(self, key: str, size: Size) -> Foreground:
        return self.things[key]

    def has_depth(self, key: str) -> bool:
        return self.scenes[key].depth_m is not None

    def check(self, size: Size) -> AssetCatalogue:
        return AssetCatalogue("tiny")


@pytest.fixture
def make_source() -> Callable[..., Tiny]:
    """A source with these backgrounds and foregrounds."""

    def make(*assets: Background | Foreground) -> Tiny:
        source = Tiny()
        for one in assets:
            if isinstance(one, Background):
                source.scenes[one.key] = one
            else:
                source.things[one.key] = one
        return source

    return make


@pytest.fixture
def make_foreground() -> Callable[..., Foreground]:
    """A cut-out of one colour; alpha: one value, or uint8 [h, w]."""

    def make(
        key: str,
        size: Size = (4, 4),
        alpha: int | np.ndarray = 255,
        colour: tuple[int, int, int] = (255, 0, 0),
    ) -> Foreground:
        rgba = np.empty((*size, 4), np.uint8)
        rgba[..., :3] = colour
        rgba[..., 3] = alpha
        return Foreground(key, f"a {key}", rgba)

    return make


@pytest.fixture
def make_sample() -> Callable[..., Sample]:
    """Sample `index` with smooth pictures; depth 1..9 m with one invalid pixel."""

    def make(index: int, size: Size = (12, 10), *, depth: bool = True) -> Sample:
        height, width = size
        y, x = np.mgrid[0:height, 0:width]
        image = np.stack([y * 9 + index, x * 11, y + x + 50], axis=-1) % 256
        depth_m = (1 + y * 0.5 + x * 0.0625 + index * 0.125).astype(np.float32)
        depth_m[0, 0] = 0
        layer = {"foreground": "stühle", "label": "Stühle", "box": [-1, 0, 2, 3]}
        return Sample(
            key=sample_key(index),
            image=image.astype(np.uint8),
            mask=((y * 20 + x + index) % 256).astype(np.uint8),
            instances=None,
            depth=depth_m if depth else None,
            meta={
                "key": sample_key(index),
                "index": index,
                "background": "wand",
                "layers": [layer],
            },
            labels={"instances": ((x + y) % 3).astype(np.uint8)},
        )

    return make


@pytest.fixture
def make_recipe() -> Callable[..., Recipe]:
    """A recipe from a background key and foreground keys; `!key` is flipped."""

    def make(index: int, background: str, *foregrounds: str) -> Recipe:
        chosen = tuple((key.removeprefix("!"), key.startswith("!")) for key in foregrounds)
        return Recipe(index, sample_key(index), "train", background, chosen, index)

    return make


@pytest.fixture
def assets_root(tmp_path: Path) -> Path:
    """A folder as `source=assets` wants it: three backgrounds, two cut-outs."""
    root = tmp_path / "assets"
    y, x = np.mgrid[0:24, 0:32]
    picture = np.stack([y * 10, x * 7, (x + y) * 4], axis=-1).astype(np.uint8)
    (root / "bg").mkdir(parents=True)
    (root / "fg").mkdir()
    for number in range(3):
        Image.fromarray(np.roll(picture, number, axis=1)).save(root / "bg" / f"room{number}.png")
    cut_out = np.zeros((10, 8, 4), np.uint8)
    cut_out[2:9, 1:7] = (200, 100, 50, 255)
    for name in ("cup", "vase"):
        Image.fromarray(cut_out).save(root / "fg" / f"{name}.png")
    return root


@pytest.fixture
def forked() -> Callable[[Callable[[], Any]], Any]:
    """What a function gives in a forked process, or the text of the error that it raises there.

    AssertionError if that takes a minute: the child hangs.
    """

    def answer(there: Connection, function: Callable[[], Any]) -> None:
        try:
            there.send(function())
        except DepthmaskError as error:
            there.send(str(error))

    def run(function: Callable[[], Any]) -> Any:
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe()
        child = context.Process(target=answer, args=(there, function))
        child.start()
        answered = here.poll(60)
        if not answered:
            child.kill()
        child.join()
        assert answered, "the child hangs"
        return here.recv()

    return run
