"""Measured geometry, kept on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from depthmask.asset_store import folder as asset_store
from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import save
from depthmask.caching import FifoCache, cache_folder
from depthmask.compose.geometry_cache import GeometryCache
from depthmask.data import Background, Camera, DepthContract, Float32, Plane, Size
from depthmask.stage import setting, stage
from depthmask.stage.calls import StageError
from depthmask.stages.geometry.base import Geometry
from depthmask.stages.geometry.source import SourceGeometry
from depthmask.stages.source.base import Source

SIZE = (4, 5)


@stage("counting")
class Counting(Geometry):
    """Depth is the red channel; remembers what it was asked for."""

    version: str = setting("1", help="part of the cache key")
    always: bool = setting(True, help="measure backgrounds with depth, too")

    def __post_init__(self) -> None:
        self.asked: list[list[str]] = []
        self.factor = 1.0

    @property
    def batch_size(self) -> int:
        return 2

    @property
    def cache_key(self) -> str:
        return f"counting-{self.version}"

    def contract(self, size: Size, known: float) -> DepthContract | None:
        return None

    def needs_measuring(self, has_depth: bool) -> bool:
        return self.always or not has_depth

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        unknown = [one for one in backgrounds if self.needs_measuring(one.depth_m is not None)]
        self.asked.append([one.key for one in unknown])
        return [
            replace(one, depth_m=self._depth(one), camera=None, plane=None)
            if one in unknown
            else one
            for one in backgrounds
        ]

    def _depth(self, background: Background) -> Float32:
        depth_m = background.image[..., 0].astype(np.float32) + 1
        return depth_m * np.float32(self.factor)


def room(key: str, red: int, depth_m: np.ndarray | None = None) -> Background:
    image = np.full((*SIZE, 3), red, np.uint8)
    return Background(key, image, depth_m, Camera(1, 2, 3, 4, 5), Plane((0.0, 1.0, 0.0), 1.0))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for each test."""
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "store" / "depth"


@pytest.fixture
def source(make_source: Callable[..., Source]) -> Source:
    return make_source(*(room(f"room{number}", number * 10) for number in range(5)))


@stage("forgetful")
class Forgetful(Counting):
    """Makes new backgrounds with what it knows of."""

    def measure(self, backgrounds: Sequence[Background]) -> list[Background]:
        return [Background(one.key, one.image, one.depth_m) for one in super().measure(backgrounds)]


@pytest.mark.parametrize("always", [False, True])
def test_metadata_survives_any_geometry(make_source: Callable[..., Source], always: bool) -> None:
    depth_m = np.ones(SIZE, np.float32)
    source = make_source(replace(room("hall", 7, depth_m), meta={"caption": "a hall"}))
    for geometry in (Counting(always=always), Forgetful(always=always), Counting(always=always)):
        cache = GeometryCache(geometry, source, SIZE)
        assert cache.background("hall").meta == {"caption": "a hall"}
        assert cache.background("hall").depth_m is not None


def test_a_background_is_measured_once_ever(source: Source) -> None:
    first, second = Counting(), Counting()
    for geometry in (first, first, second):
        found = GeometryCache(geometry, source, SIZE).background("room3")
        assert found.depth_m is not None
        assert (found.depth_m == 31).all()
        assert found.depth_m.dtype == np.float32
        # It belongs to another depth.
        assert found.plane is None
    assert first.asked == [["room3"]]
    assert second.asked == []


def test_fill_measures_what_is_unknown_in_full_batches(source: Source) -> None:
    geometry = Counting()
    cache = GeometryCache(geometry, source, SIZE)
    cache.background("room1")
    done: list[int] = []
    keys = cache.to_measure([f"room{number}" for number in range(5)])
    cache.fill(keys, done.append)
    assert geometry.asked == [["room1"], ["room0", "room2"], ["room3", "room4"]]
    assert sum(done) == 5
    cache.fill(keys, done.append)
    assert len(geometry.asked) == 3
    assert sum(done) == 10


def test_equal_pixels_share_and_others_do_not(make_source: Callable[..., Source]) -> None:
    source = make_source(room("a", 1), room("b", 1), room("c", 2))
    geometry = Counting()
    cache = GeometryCache(geometry, source, SIZE)
    for key in ("a", "b", "c"):
        assert cache.background(key).key == key
    assert geometry.asked == [["a"], ["c"]]


def test_the_shape_counts_beside_the_pixels(make_source: Callable[..., Source]) -> None:
    wide, tall = room("wide", 1), room("tall", 1)
    tall = replace(tall, image=tall.image.reshape(5, 4, 3))
    geometry = Counting()
    source = make_source(wide, tall)
    for key, shape in (("wide", (4, 5)), ("tall", (5, 4))) * 2:
        depth_m = GeometryCache(geometry, source, shape).background(key).depth_m
        assert depth_m is not None
        assert depth_m.shape == shape
    assert geometry.asked == [["wide"], ["tall"]]


def test_other_weights_are_asked_anew(source: Source) -> None:
    newer = Counting(version="2")
    GeometryCache(Counting(), source, SIZE).background("room0")
    GeometryCache(newer, source, SIZE).background("room0")
    assert newer.asked == [["room0"]]


def test_another_pixel_version_is_asked_anew(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    GeometryCache(Counting(), source, SIZE).background("room0")
    for version, asked in ((2, [["room0"]]), (2, []), (1, [])):
        monkeypatch.setattr(Counting, "pixel_version", version)
        geometry = Counting()
        GeometryCache(geometry, source, SIZE).background("room0")
        assert geometry.asked == asked


def stored(folder: Path) -> Path:
    """The one file of the store with measured depth."""
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "header", "data"])
def test_a_damaged_file_is_measured_again(source: Source, folder: Path, damage: str) -> None:
    GeometryCache(Counting(), source, SIZE).background("room2")
    path = stored(folder)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[-7:]
    elif damage == "empty":
        content.clear()
    elif damage == "foreign":
        content[:] = b"hello" * 50
    else:
        content[10 if damage == "header" else -20] ^= 4
    path.write_bytes(content)
    geometry = Counting()
    for _ in range(2):
        found = GeometryCache(geometry, source, SIZE).background("room2")
        assert found.depth_m is not None
        assert (found.depth_m == 21).all()
    assert geometry.asked == [["room2"]]


def test_without_a_cache_the_depth_is_the_same(
    source: Source,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asset_store, "_unwritten", FifoCache[bytes](len))
    keys = [f"room{number}" for number in range(5)]

    def depths(geometry: Counting) -> list[np.ndarray | None]:
        cache = GeometryCache(geometry, source, SIZE)
        cache.fill(keys, lambda count: None)
        return [cache.background(key).depth_m for key in keys]

    stored = depths(Counting())
    shutil.rmtree(folder.parent)
    folder.parent.touch()
    asset_store._warn.cache_clear()
    geometry = Counting()
    np.testing.assert_array_equal(depths(geometry), stored)
    # In full batches, each once.
    assert geometry.asked == [["room0", "room1"], ["room2", "room3"], ["room4"]]
    assert [record.getMessage() for record in caplog.records] == [
        f"later runs repeat work of this one: the cache {folder.parent.parent} cannot be written "
        "(Not a directory); name another folder with DEPTHMASK_CACHE=FOLDER"
    ]


def test_no_temporary_file_stays(source: Source, folder: Path) -> None:
    GeometryCache(Counting(), source, SIZE).fill(["room0", "room1"], lambda count: None)
    assert [path.suffix for path in folder.rglob("*") if path.is_file()] == ["", ""]


def test_what_the_source_knows_is_not_kept(
    make_source: Callable[..., Source], folder: Path
) -> None:
    own = np.full(SIZE, 7, np.float32)
    source = make_source(room("known", 1, own), room("unknown", 2))
    geometry = Counting(always=False)
    cache = GeometryCache(geometry, source, SIZE)
    assert cache.to_measure(["known", "unknown"]) == ["unknown"]
    depth_m = cache.background("known").depth_m
    assert depth_m is not None
    assert np.shares_memory(depth_m, own)
    assert cache.background("known").camera is not None
    assert not folder.exists()
    cache.background("unknown")
    assert stored(folder)


def test_the_folder_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("DEPTHMASK_CACHE")
    assert cache_folder().name == "depthmask"


def test_only_what_was_checked_is_kept_and_taken(source: Source, folder: Path) -> None:
    """So a plugin that is mended does not fail by the maps of its earlier version."""
    contract = SourceGeometry().contract(SIZE, 0)
    wrong = Counting()
    wrong.factor = float("nan")
    cache = GeometryCache(wrong, source, SIZE, contract)
    with pytest.raises(StageError, match="measure of room2 returned depth_m that is negative or"):
        cache.background("room2")
    assert not folder.exists()
    GeometryCache(Counting(), source, SIZE, contract).background("room2")
    path = stored(folder)
    # As a plugin may have made it that is mended now.
    save(f"depth/{path.name}", Entry(arrays={"depth_m": np.full(SIZE, np.nan, np.float32)}))
    mended = Counting()
    depth_m = GeometryCache(mended, source, SIZE, contract).background("room2").depth_m
    assert depth_m is not None
    assert (depth_m == 21).all()
    assert mended.asked == [["room2"]]
